"""Sessions of several shapes, each the same for the same seed.

A session is a list of steps; a step is the messages that are new in it, and what must still be reachable once it is
sent: the lines of every file as it was read last, the values of every list as it was fetched last, what a turn asks for.
Files are those of this repository; all else is made up here.
"""

import json
import random
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


class Session:
    """Messages of chat completions, as a client would send them turn by turn."""

    def __init__(self, system, seed):
        self.dice = random.Random(seed)
        self.messages = [{"role": "system", "content": system}]
        self.steps = []
        self.needles = {}
        self.calls = 0

    def user(self, text, needles=()):
        self.messages.append({"role": "user", "content": text})
        self.needles["said"] = list(needles)

    def tool(self, name, arguments, result, about=None, needles=()):
        """A call and its result; what was known `about` the same thing before counts no longer."""
        self.calls += 1
        call = {"id": f"call_{self.calls}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
        self.messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        self.messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
        self.needles[about or call["id"]] = list(needles)
        self.send()

    def send(self):
        needles = [needle for of in self.needles.values() for needle in of]
        self.steps.append((list(self.messages), needles))

    def answer(self, text):
        self.messages.append({"role": "assistant", "content": text})


def lines(text):
    """The lines of a text that say something."""
    return [line.strip() for line in text.splitlines() if len(line.strip()) > 3]


def values(found):
    """The values of JSON, as they are written."""
    if isinstance(found, dict):
        return [value for of in found.values() for value in values(of)]
    if isinstance(found, list):
        return [value for of in found for value in values(of)]
    return [found if isinstance(found, str) else json.dumps(found)]


def sources(dice, count, least=60, most=260):
    """Source files of this repository."""
    found = sorted((REPOSITORY / "src").rglob("*.rs"))
    found = [file for file in found if least <= file.read_text().count("\n") <= most]
    return [(str(file.relative_to(REPOSITORY)), file.read_text()) for file in dice.sample(found, count)]


def edited(dice, text, marker):
    """A text with a line changed and one or two put in."""
    rows = text.splitlines(keepends=True)
    at = dice.randrange(len(rows) // 4, len(rows) * 3 // 4)
    rows[at] = f"    // {marker}: mended\n"
    for extra in range(dice.randrange(3)):
        rows.insert(at + 1, f"    let {marker}_{extra} = before + {extra};\n")
    return "".join(rows)


def coding(seed, numbered=False):
    """An agent reads files, edits them, reads them again, and runs the tests in between."""
    session = Session("You are a coding agent. Use the tools.", seed)
    files = dict(sources(session.dice, 4))

    def shown(text):
        if not numbered:
            return text
        return "".join(f"{at:>6}\t{line}" for at, line in enumerate(text.splitlines(keepends=True), 1))

    def read(path):
        name, key = ("Read", "file_path") if numbered else ("read_file", "path")
        session.tool(name, {key: path}, shown(files[path]), about=path, needles=lines(files[path]))

    def tests(failing):
        named = [f"test {path[4:-3].replace('/', '::')}::tests::promise_{at}" for path in files for at in range(14)]
        rows = [f"{name} ... {'FAILED' if at == failing else 'ok'}" for at, name in enumerate(named)]
        rows += ["", "failures:", f"    {named[failing][5:]}", "", f"test result: FAILED. {len(named) - 1} passed; 1 failed"]
        session.tool("run_tests", {"command": "cargo test"}, "\n".join(rows), about="tests", needles=[named[failing][5:]])

    session.user("The test of the second promise fails. Find out why, and mend it.")
    session.send()
    paths = list(files)
    for path in paths:
        read(path)
    for turn in range(9):
        path = session.dice.choice(paths)
        files[path] = edited(session.dice, files[path], f"turn_{turn}")
        session.tool("edit", {"path": path, "change": f"turn_{turn}"}, "The file was changed.")
        read(path)
        if turn % 3 == 2:
            tests(session.dice.randrange(14 * len(files)))
            session.answer("One is left.")
            session.user("Go on.")
    return session.steps


def ops(seed):
    """Somebody watches a cluster: the same lists and logs again and again, a few rows of them new."""
    session = Session("You watch a cluster. Use the tools.", seed)
    dice = session.dice
    pods = [
        {"name": f"{app}-{dice.randrange(16**8):08x}-{dice.randrange(16**4):04x}", "namespace": "shop", "status": "Running",
         "restarts": 0, "node": f"node-{dice.randrange(5)}", "ip": f"10.2.{dice.randrange(255)}.{dice.randrange(255)}"}
        for app in ["cart", "search", "checkout", "mail", "stock"] for _ in range(8)
    ]
    log = []

    def write(count):
        for _ in range(count):
            at, pod = len(log), dice.choice(pods)
            log.append(f"2026-03-02T10:{at // 60 % 60:02}:{at % 60:02}Z {pod['name']} INFO served /{pod['name'].split('-')[0]} in "
                       f"{dice.randrange(2, 900)} ms for {dice.randrange(10**6):06}")

    write(80)
    session.user("Watch the shop until nothing restarts any more.")
    session.send()
    for turn in range(8):
        broken = dice.choice(pods)
        broken["restarts"] += 1
        broken["status"] = "CrashLoopBackOff" if turn < 6 else "Running"
        session.tool("list_pods", {"namespace": "shop"}, json.dumps({"items": pods}, indent=2), "pods", values(pods))
        write(12)
        recent = log[-100:]
        session.tool("tail_logs", {"namespace": "shop", "lines": 100}, "\n".join(recent), "log",
                     [line.split()[-1] for line in recent])
    return session.steps


def booking(seed):
    """An agent compares offers: lists that overlap, then single offers."""
    session = Session("You book travels. Use the tools.", seed)
    dice = session.dice
    offers = [
        {"id": f"OF-{dice.randrange(10**6):06}", "carrier": dice.choice(["Alder Air", "Birch", "Cedar Jet"]),
         "from": "OSL", "to": dice.choice(["LIS", "OPO"]), "depart": f"2026-05-{dice.randrange(1, 29):02}T{dice.randrange(24):02}:{dice.randrange(60):02}",
         "stops": dice.randrange(3), "price": {"amount": dice.randrange(90, 900), "currency": "EUR"},
         "bags": dice.randrange(3), "refundable": dice.random() < 0.3}
        for _ in range(60)
    ]
    session.user("Find the cheapest way to Portugal in May with one bag.")
    session.send()
    found = [offer for offer in offers if offer["to"] == "LIS"]
    session.tool("search_offers", {"to": "LIS"}, json.dumps(found), "LIS", values(found))
    found = [offer for offer in offers if offer["bags"]]
    session.tool("search_offers", {"bags": 1}, json.dumps(found), "bags", values(found))
    found = sorted(found, key=lambda offer: offer["price"]["amount"])[:20]
    session.tool("search_offers", {"bags": 1, "sort": "price"}, json.dumps(found), "price", values(found))
    for offer in found[:3]:
        session.tool("get_offer", {"id": offer["id"]}, json.dumps(offer, indent=1), offer["id"], values(offer))
    session.answer(f"{found[0]['id']} is the cheapest.")
    session.user("And all of them again?", needles=[found[0]["id"]])
    session.tool("search_offers", {"bags": 1}, json.dumps([offer for offer in offers if offer["bags"]]), "bags",
                 values([offer for offer in offers if offer["bags"]]))
    return session.steps


def passages():
    """Passages of the public dev set, each with a question and its answers."""
    records = map(json.loads, (REPOSITORY / "quality" / "dev" / "crates.jsonl").read_text().splitlines())
    return [record for record in records if record.get("context") and record.get("answers")]


def rag(seed):
    """A chat over documentation: passages are fetched for each question, and some of them again."""
    session = Session("Answer from the passages.", seed)
    known = passages()
    pool = session.dice.sample(known, min(24, len(known)))
    for turn in range(10):
        asked = session.dice.choice(pool)
        others = session.dice.sample([record for record in pool if record is not asked], 7)
        texts = [record["context"] for record in [asked, *others]]
        session.dice.shuffle(texts)
        material = "\n\n".join(f"[{at}] {text}" for at, text in enumerate(texts, 1))
        session.user(f"{material}\n\nQuestion: {asked['question']}", needles=asked["answers"][:1])
        session.send()
        session.answer(f"See the passage. ({turn})")
    return session.steps


def meeting(seed):
    """A transcript that is attached to each question about it."""
    session = Session("You help with the minutes.", seed)
    dice = session.dice
    topics = [record["context"].split(". ")[0].strip() for record in passages()]
    speakers = ["Ann", "Bo", "Chidi", "Dara"]
    said = [f"{dice.choice(speakers)}: {dice.choice(topics)}. I would say {dice.randrange(2, 90)} days for item {at}."
            for at in range(90)]
    for turn in range(6):
        asked = dice.randrange(len(said))
        transcript = "\n".join(said)
        session.user(f"{transcript}\n\nHow many days did they say for item {asked}?", needles=[said[asked]])
        session.send()
        session.answer(f"It is in the transcript. ({turn})")
        said.append(f"{dice.choice(speakers)}: One more thing, item {len(said)} takes {dice.randrange(2, 90)} days.")
    return session.steps


def support(seed):
    """A support agent looks up articles, some of them more than once, and a ticket that grows."""
    session = Session("You answer tickets from the knowledge base. Use the tools.", seed)
    dice = session.dice
    articles = {f"KB-{at}": record["context"] for at, record in enumerate(dice.sample(passages(), 12))}
    ticket = []
    session.user("Solve ticket 4711.")
    session.send()
    for turn in range(6):
        ticket.append(f"On day {turn} customer {dice.randrange(10**5):05} wrote:\nIt stops after {dice.randrange(2, 60)} minutes with code "
                      f"E-{dice.randrange(10**4):04}. We have tried again {dice.randrange(2, 9)} times and restarted everything.\n")
        session.tool("get_ticket", {"id": 4711}, "\n".join(ticket), "ticket", lines("\n".join(ticket)))
        found = dice.sample(sorted(articles), 4)
        result = "\n\n".join(f"## {name}\n{articles[name]}" for name in found)
        session.tool("search_articles", {"query": f"stops {turn}"}, result, f"articles {turn}")
    return session.steps


SHAPES = {
    "coding": coding,
    "coding-numbered": lambda seed: coding(seed, numbered=True),
    "ops": ops,
    "booking": booking,
    "rag": rag,
    "meeting": meeting,
    "support": support,
}
