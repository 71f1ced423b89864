"""Each call runs in a sandbox process of its own: globals and files do not last. What lasts is the state."""
import csv
import io
import random

CUSTOMERS = ["Arlo", "Bea", "Ciro", "Dara", "Edda", "Finn"]
ITEMS = ["bolt", "clamp", "drill", "easel", "file", "gauge"]
COLUMNS = ["order", "customer", "item", "count"]


def task(seed, split, difficulty):
    rng = random.Random("orders/%s/%d/%d" % (split, seed, difficulty))
    prices = {item: rng.randint(2, 40) for item in ITEMS}
    lines = [[str(100 + i), rng.choice(CUSTOMERS), rng.choice(ITEMS), rng.randint(1, 9)] for i in range(6 + 4 * difficulty)]
    who = rng.choice([line[1] for line in lines])
    total = sum(prices[item] * count for _, customer, item, count in lines if customer == who)
    return {
        "prompt": "What do the orders of %s cost in all? Answer with the number." % who,
        "reference": str(total),  # stays outside: no tool ever sees it
        "spec": "exact_answer:profile=final_answer",
        "state": {"lines": lines, "prices": prices, "who": who, "seen": []},
    }


def rows(state, column, value):
    if column not in COLUMNS[:3]:
        raise ValueError("there is no column %s; there are customer, item, order" % column)  # told to the policy
    at = COLUMNS.index(column)
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(line for line in state["lines"] if line[at] == value)
    if column == "customer" and value == state["who"]:
        state["seen"] = sorted({line[2] for line in state["lines"] if line[1] == value})
    return out.getvalue()


def price(state, item):
    if item not in state["prices"]:
        raise ValueError("there is no item %s" % item)
    if item in state["seen"]:
        state["seen"].remove(item)
    return state["prices"][item]
