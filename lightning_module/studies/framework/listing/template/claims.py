"""What is put to the test: rules that are written down before there is a result."""

from lightning_module.studies import Claim, value

LEAD = {  # of the CNN over the MLP, by data set: a number for each seed
    data: value("accuracy", network="cnn", data=data) - value("accuracy", network="mlp", data=data)
    for data in ("default", "no-shift")
}
CLAIMS = [
    Claim(
        name="translation",
        text="Most of the CNN's lead is there because the digits are translated: at least 10 points.",
        finding=LEAD["default"] - LEAD["no-shift"] > 0.1,
    )
]
