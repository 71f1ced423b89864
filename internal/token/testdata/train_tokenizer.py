"""Trains a byte-level BPE of a family on texts and prints it with the ids of each text: train_tokenizer.py FAMILY < texts.json."""

import json
import sys

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")

texts = json.load(sys.stdin)
family = sys.argv[1]
t = Tokenizer(models.BPE(ignore_merges=family == "llama3"))
level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=family in ("gpt2", "smollm"))
if family == "smollm":
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), level])
elif family == "gpt2":
    t.pre_tokenizer = level
else:
    pattern = LLAMA3 if family == "llama3" else QWEN2
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated", False), level])
if family == "qwen2":
    t.normalizer = normalizers.NFC()
t.decoder = decoders.ByteLevel()
t.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=600, special_tokens=["<|end|>", "<|im_start|>"],
                                                 initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
json.dump({"tokenizer": t.to_str(), "eos": t.token_to_id("<|end|>"), "ids": [t.encode(x).ids for x in texts]}, sys.stdout)
