"""Makes the files of this folder: weights and outputs as torch has them. Needs torch, safetensors and numpy."""

from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import nn

HERE = Path(__file__).parent
torch.manual_seed(0)


class Gated(nn.Module):
    """A recurrent layer or two and what reads its last step."""

    def __init__(self, kind, layers):
        super().__init__()
        self.rnn, self.head = kind(3, 4, num_layers=layers), nn.Linear(4, 2)

    def forward(self, xs):
        return self.head(self.rnn(xs[:, None])[0][-1, 0])


class Attention(nn.Module):
    """Self-attention, normalised."""

    def __init__(self):
        super().__init__()
        self.embed, self.attn, self.norm = nn.Embedding(7, 8), nn.MultiheadAttention(8, 2), nn.LayerNorm(8)

    def forward(self, tokens):
        x = self.embed(tokens)
        return self.norm(x + self.attn(x, x, x, need_weights=False)[0])


def cnn():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3, stride=2, groups=2, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(4 * 3 * 3, 3),
    )


MODELS = {
    "mlp": (nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3)), torch.randn(4, 5)),
    "cnn": (cnn(), torch.randn(3, 2, 8, 8)),
    "gru": (Gated(nn.GRU, 1), torch.randn(6, 3)),
    "gru_deep": (Gated(nn.GRU, 2), torch.randn(6, 3)),
    "lstm": (Gated(nn.LSTM, 1), torch.randn(6, 3)),
    "attention": (Attention(), torch.randint(0, 7, (5,))),
    "transposed": (nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1, groups=2), torch.randn(4, 5, 5)),
}

for name, (model, x) in MODELS.items():
    for module in model.modules():  # statistics that are not those of the start
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    model.eval()
    with torch.no_grad():
        np.savez(HERE / f"{name}.npz", x=x.numpy(), y=model(x).numpy())
    torch.save(model.state_dict(), HERE / f"{name}.pt")

mlp = MODELS["mlp"][0]
safetensors.torch.save_file(mlp.state_dict(), HERE / "mlp.safetensors")
half = {name: value.to(torch.bfloat16) for name, value in mlp.state_dict().items()}
safetensors.torch.save_file(half, HERE / "mlp_bfloat16.safetensors")
torch.save({"state_dict": half, "epoch": 3, "loss": 0.25}, HERE / "mlp_checkpoint.pt")
torch.save(mlp.state_dict(), HERE / "mlp_legacy.pt", _use_new_zipfile_serialization=False)
torch.save(nn.Linear(2, 2), HERE / "whole_module.pt")
view = torch.arange(24.0).reshape(4, 6)
strided = {"transposed": view.t(), "row": view[2], "every": view[::2, 1::2], "same": view, "none": torch.zeros(0, 3)}
kinds = (
    "float64",
    "float16",
    "bfloat16",
    "int64",
    "int32",
    "int16",
    "int8",
    "uint8",
    "bool",
    "complex64",
    "float8_e4m3fn",
)
strided |= {kind: torch.tensor([0.0, 1.0, 2.0]).to(getattr(torch, kind)) for kind in kinds}
strided["parameter"] = nn.Parameter(view)
torch.save(strided, HERE / "tensors.pt")
np.savez(
    HERE / "tensors.npz",
    **{name: value.detach().float().numpy() for name, value in strided.items() if name != "complex64"},
)

for name in ("mlp", "cnn"):
    model, x = MODELS[name]
    batch = {"x": {0: "batch"}}
    torch.onnx.export(model, (x,), HERE / f"{name}.onnx", dynamo=False, input_names=["x"], dynamic_axes=batch)
