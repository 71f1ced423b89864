"""Saves a small random model of a family in bfloat16 and in shards: write_folder.py FAMILY FOLDER."""

import sys

import torch
import transformers

family, folder = sys.argv[1:3]
torch.manual_seed(1)
config = getattr(transformers, family + "Config")(
    vocab_size=300, hidden_size=48, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    max_position_embeddings=128, tie_word_embeddings=False, bos_token_id=256, eos_token_id=257, initializer_range=0.2)
model = getattr(transformers, family + "ForCausalLM")(config)
with torch.no_grad():
    for name, p in model.named_parameters():
        if name.endswith("bias") or "norm" in name:
            p.add_(0.2 * torch.randn_like(p))
model.to(torch.bfloat16).save_pretrained(folder, max_shard_size="60KB")
