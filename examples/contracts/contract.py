"""A framework contract of some fifty pages, written for this example: twelve schedules that say the same kinds of
things with other numbers, names and dates, as real ones do. A value under the wrong schedule is a wrong answer.
"""

import random

SERVICES = [
    ("Object Storage", "Kestrel Data Ltd", "Cork"),
    ("Block Storage", "Kestrel Data Ltd", "Dublin"),
    ("Virtual Machines", "Halden Compute AS", "Oslo"),
    ("Managed Databases", "Tarn Systems GmbH", "Bremen"),
    ("Backup and Archive", "Corvid Vaults BV", "Utrecht"),
    ("Content Delivery", "Skua Networks Ltd", "Leeds"),
    ("Private Network", "Skua Networks Ltd", "Hull"),
    ("Monitoring", "Petrel Insight SAS", "Lyon"),
    ("Service Desk", "Dunlin Support Ltd", "Cardiff"),
    ("Migration", "Heron Consulting GmbH", "Graz"),
    ("Training", "Heron Consulting GmbH", "Linz"),
    ("Security Audit", "Osprey Assurance Oy", "Turku"),
]

# What is asked: (key, question, clauses that say it). `{v}` is the value.
TERMS = {
    "notice": (
        "how many days' written notice must the Customer give to terminate",
        "The Customer may terminate this Schedule for convenience by giving the Supplier {v} days' written notice.",
        [30, 45, 60, 75, 90, 100, 120, 150, 180, 200, 210, 240],
    ),
    "cap": (
        "what is the Supplier's total liability in a contract year limited to, in euros",
        "The Supplier's total liability under this Schedule in any contract year, whether in contract, tort or otherwise, is "
        "limited to EUR {v}.",
        [150000, 220000, 275000, 310000, 420000, 480000, 530000, 640000, 725000, 810000, 960000, 1150000],
    ),
    "payment": (
        "within how many days of receipt are invoices payable",
        "Undisputed invoices are payable within {v} days of receipt.",
        [14, 15, 20, 21, 25, 28, 31, 35, 40, 50, 55, 65],
    ),
    "uptime": (
        "what monthly availability does the Supplier commit to",
        "The Supplier shall make the service available for at least {v} per cent of each calendar month.",
        ["98.5", "99.0", "99.2", "99.3", "99.4", "99.5", "99.6", "99.7", "99.8", "99.9", "99.95", "99.99"],
    ),
    "retention": (
        "for how many months does the Supplier keep records after the end of the term",
        "The Supplier shall keep complete records of the performance of this Schedule for {v} months after the end of its term.",
        [9, 12, 15, 18, 24, 27, 30, 36, 42, 48, 60, 72],
    ),
    "breach": (
        "within how many hours must the Supplier report a personal data breach",
        "The Supplier shall report a personal data breach to the Customer within {v} hours of becoming aware of it.",
        [4, 6, 8, 10, 12, 16, 18, 20, 24, 30, 36, 48],
    ),
    "audit": (
        "how many times a year may the Customer audit the Supplier",
        "The Customer may audit the Supplier's compliance {v} times in any period of twelve months.",
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"],
    ),
}

GENERAL = [
    (
        "Interpretation",
        "Headings are for convenience only and do not affect the meaning of a clause. Words in the singular "
        "include the plural. A reference to a statute is a reference to it as amended from time to time. Examples that follow the "
        "word including do not limit the words before it.",
    ),
    (
        "Order of precedence",
        "If this Schedule conflicts with the general terms, this Schedule prevails to the extent of the "
        "conflict. An order placed under it may add to it, but may not change it unless both parties have signed the change.",
    ),
    (
        "Scope",
        "The Supplier shall provide the {service} service from its facility in {town} and shall use personnel with suitable "
        "skill and experience. The service description sets out what is included; whatever it does not mention is outside the "
        "scope and is charged separately by agreement.",
    ),
    (
        "Customer's duties",
        "The Customer shall give the Supplier the access, information and decisions that the Supplier reasonably "
        "needs for the {service} service. Where the Customer is late, dates are moved by the length of the delay, and the Supplier "
        "shall use reasonable efforts to limit the consequences.",
    ),
    (
        "Governance",
        "The parties' representatives for {service} meet once a month. They review performance, open incidents, planned "
        "changes and the forecast. Minutes are written by the Supplier and count as accepted if nobody objects within five working "
        "days.",
    ),
    (
        "Change",
        "Either party may ask for a change to the {service} service in writing. The Supplier states the effect on charges, "
        "dates and service levels within ten working days. Until a change is signed, the Supplier continues as before.",
    ),
    (
        "Personnel",
        "The Supplier is responsible for its personnel in {town}, for their pay and for their conduct. At the Customer's "
        "reasonable request it replaces a person who repeatedly breaks the Customer's site rules.",
    ),
    (
        "Subcontracting",
        "{supplier} may subcontract parts of the {service} service to companies that are named in the order. It "
        "remains liable for them as for itself, and it ends a subcontract if the Customer has serious reasons to object.",
    ),
    (
        "Intellectual property",
        "Each party keeps what it owned before. The Customer may use the documentation of the {service} "
        "service for its own business for as long as this Schedule is in force, and may let its advisers use it for the same purpose.",
    ),
    (
        "Confidentiality",
        "Each party keeps the other's confidential information secret, uses it for {service} only and discloses it "
        "only to those who need it. That does not apply to what is public, was known before or has to be disclosed by law.",
    ),
    (
        "Insurance",
        "{supplier} maintains insurance with a reputable insurer at a level that is customary for companies that provide "
        "services such as {service}, and shows evidence of it upon request.",
    ),
    (
        "Force majeure",
        "Neither party is in breach where an event outside its reasonable control prevents it from performing. It "
        "informs the other without delay, limits the effects, and resumes as soon as the event has ended. Strikes of its own "
        "personnel in {town} are not such events.",
    ),
    (
        "Escalation",
        "A dispute about {service} is first discussed by the representatives, then by the heads of department, then by "
        "the managing directors. Only when the last have failed to agree within three weeks may a party go to court, except to "
        "obtain urgent relief.",
    ),
    (
        "Exit",
        "On expiry {supplier} helps the Customer to move the {service} service to itself or to a successor. It hands over "
        "configurations, documentation and the Customer's data in a customary format, and it keeps the service running until the "
        "move is complete, against the charges then in force.",
    ),
    (
        "Environment",
        "{supplier} runs its facility in {town} with due regard to the environment, reports its energy use once a "
        "year, and considers reasonable proposals by which the {service} service could use less.",
    ),
    (
        "Notices",
        "Notices under this Schedule are given in writing to the registered office in {town}. A notice sent by courier "
        "counts as received on delivery, one sent by electronic mail when its receipt is confirmed by a person.",
    ),
]

DETAILS = [
    "The {service} representative of {supplier} keeps a register of open points and circulates it before each meeting.",
    "Charges for {service} are set out in the price list, exclude value added tax, and are invoiced in arrears.",
    "Planned maintenance of the {service} platform in {town} is announced in the customer portal.",
    "{supplier} documents its procedures for {service} and trains new personnel in them before they work unsupervised.",
    "Where a third party's licence is needed for {service}, the order says which party obtains it.",
    "Access to the {town} facility is recorded, and visitors are accompanied at all times.",
    "The parties may agree upon a pilot phase for parts of {service}, during which experience is gathered.",
    "Equipment that the Customer has placed in {town} remains its property and is labelled accordingly.",
    "Reports about {service} are provided in English, in a format that the Customer can process further.",
    "{supplier} informs the Customer of organisational changes that may affect the {service} service.",
    "Working days are those on which banks in {town} are open for business.",
    "The acceptance of a deliverable for {service} may not be refused because of minor defects.",
    "Either party may publish the fact of this relationship, but no details of {service}, without consent.",
    "Test data for {service} is provided by the Customer and is deleted when it is no longer needed.",
    "The Supplier's tools remain its property, also where they run on systems of the Customer's.",
    "Requests outside the agreed hours are handled by the duty engineer of {supplier} in {town}.",
]


def write(seed: int = 16) -> tuple[str, list[tuple[str, str]]]:
    """The contract, and questions with their answers: one for each schedule."""
    rng = random.Random(seed)
    values = {key: rng.sample(choices, len(choices)) for key, (_, _, choices) in TERMS.items()}
    parts, questions = ["# Framework Contract for Information Technology Services\n"], []
    for number, (service, supplier, town) in enumerate(SERVICES):
        here = {"service": service, "supplier": supplier, "town": town}
        parts.append(
            f"## Schedule {number + 1}: {service}\n\nThe Supplier under this Schedule is {supplier}, {town}.\n"
        )
        said = {key: clause.format(v=figure(values[key][number])) for key, (_, clause, _) in TERMS.items()}
        clauses = rng.sample(GENERAL, len(GENERAL))
        places = dict(zip(rng.sample(range(len(clauses)), len(said)), said.items(), strict=True))
        for place, (title, text) in enumerate(clauses):
            sentences = [text.format(**here), *(rng.choice(DETAILS).format(**here) for _ in range(2))]
            if place in places:
                sentences.insert(rng.randint(0, len(sentences)), places[place][1])
            parts.append(f"### {number + 1}.{place + 1} {title}\n\n{' '.join(sentences)}\n")
        key = list(TERMS)[number % len(TERMS)]
        question, _, _ = TERMS[key]
        questions.append((f"Under the {service} Schedule, {question}?", figure(values[key][number])))
    return "\n".join(parts), questions


def figure(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
