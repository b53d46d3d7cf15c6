// What a client is told on its standard input, and what it tells on its standard output: one JSON object each.

import { text } from "node:stream/consumers";

export const told = JSON.parse(await text(process.stdin));

export function tell(answer) {
    process.stdout.write(JSON.stringify(answer) + "\n");
}

/** Reads the minutes of a town: what a tool gives back. */
export function readMinutes({ town }) {
    if (town !== "Aberwick") {
        throw new Error(`the arguments arrived as ${JSON.stringify(town)}`);
    }
    return told.minutes;
}

export const schema = { type: "object", properties: { town: { type: "string" } }, required: ["town"] };
