"""Loads a folder with transformers and prints ids and log probabilities of a text as JSON: read_folder.py FOLDER TEXT [ADAPTER]."""

import json
import sys

import torch
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

folder, text = sys.argv[1:3]
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
if len(sys.argv) > 3:
    from peft import PeftModel

    model = PeftModel.from_pretrained(model, sys.argv[3])
ids = PreTrainedTokenizerFast(tokenizer_file=folder + "/tokenizer.json")(text)["input_ids"]
with torch.no_grad():
    lp = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), -1)
nxt = torch.tensor(ids[1:])
json.dump({"ids": ids, "logp": lp[:-1].gather(1, nxt[:, None])[:, 0].tolist()}, sys.stdout)
