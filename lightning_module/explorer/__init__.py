"""MNIST-1D in the browser: ``mnist1d explore``. Needs the extra ``explorer``; nothing else imports it, or gradio."""
