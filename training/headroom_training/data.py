"""Stage `data`: segments and word frequencies from the data folder."""

import json
from pathlib import Path

from . import corpus, rule


def run(args):
    work = Path(args.work)
    target = work / "segments.jsonl"
    if target.exists() and not args.force:
        print(f"{target} is there; --force makes it again")
        return
    work.mkdir(parents=True, exist_ok=True)
    segments, dropped = corpus.collect_segments(args.data, args.seed, args.scale)
    if not segments:
        raise SystemExit(f"no text found under {args.data}: it needs text/*.jsonl(.xz) or pairs/*.jsonl(.xz)")
    rule.Idf.learn(segment["text"] for segment in segments).save(work / "idf.json")
    segments = corpus.single_sentences(segments, args.sentences, args.seed) + segments
    half = target.with_suffix(".part")
    with open(half, "w", encoding="utf-8") as out:
        for segment in segments:
            out.write(json.dumps(segment, ensure_ascii=False) + "\n")
    half.replace(target)
    characters = sum(len(segment["text"]) for segment in segments)
    print(f"data: {len(segments)} segments, {characters} characters; {dropped} left out because a dev set has them")
