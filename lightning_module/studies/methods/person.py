"""How one person read MNIST-1D: the published quiz as counts.

Source: the human quiz of the data set's first author in the repository of Greydanus & Kobak (2024). He was shown ten
test signals at a time, answered, and saw the truth: 100 a quiz. Five quizzes are stored and 95.8 % is their mean; but
the first two are one file twice, so 400 answers are distinct: 383 of them, 95.75 %, are right.
"""

import numpy as np
import numpy.typing as npt

# Rows of the frozen test split that were asked for. 100 to 199 never were.
QUIZ_ROWS = (*range(100), *range(200, 500))

# Answers (truth, answer), each of the 400 once.
CONFUSION: npt.NDArray[np.int64] = np.array(
    [
        [28, 1, 1, 0, 0, 0, 0, 0, 0, 0],
        [0, 40, 0, 0, 1, 0, 0, 0, 0, 1],
        [0, 3, 32, 0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 50, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 44, 0, 0, 0, 0, 3],
        [0, 0, 0, 0, 0, 40, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 40, 0, 0, 0],
        [0, 1, 2, 0, 0, 0, 0, 31, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 40, 0],
        [0, 0, 0, 0, 3, 0, 0, 0, 0, 38],
    ]
)
# The share of each digit's signals that he took for another.
HUMAN_ERRORS: npt.NDArray[np.float64] = 1 - CONFUSION.diagonal() / CONFUSION.sum(1)

PUBLISHED_ACCURACY = 0.958
