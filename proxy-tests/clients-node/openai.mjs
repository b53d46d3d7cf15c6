// openai-node, on both APIs: whole, streamed, and with a tool.

import OpenAI from "openai";

import { readMinutes, schema, tell, told } from "./told.mjs";

const client = new OpenAI({ baseURL: told.base_url, apiKey: told.key, maxRetries: 0 });
const { asked, instructions } = told;
const messages = [
    { role: "system", content: instructions },
    { role: "user", content: asked },
];

const ways = {
    async chat() {
        const { data, response } = await client.chat.completions.create({ model: "gpt-4o-mini", messages }).withResponse();
        return { text: data.choices[0].message.content, outcome: response.headers.get("x-headroom-outcome") };
    },
    async chat_streamed() {
        const words = [];
        for await (const chunk of await client.chat.completions.create({ model: "gpt-4o-mini", messages, stream: true })) {
            words.push(chunk.choices[0].delta.content ?? "");
        }
        return { text: words.join(""), pieces: words.filter(Boolean).length };
    },
    async chat_tool() {
        const description = { name: "read_minutes", description: instructions, parameters: schema };
        const tool = { type: "function", function: { ...description, function: readMinutes, parse: JSON.parse } };
        const runner = client.chat.completions.runTools({ model: "gpt-4o-mini", messages, tools: [tool] });
        return { text: await runner.finalContent() };
    },
    async responses() {
        const response = await client.responses.create({ model: "gpt-5", instructions, input: asked });
        return { text: response.output_text };
    },
    async responses_streamed() {
        const stream = client.responses.stream({ model: "gpt-5", instructions, input: asked });
        let pieces = 0;
        for await (const event of stream) {
            pieces += event.type === "response.output_text.delta";
        }
        return { text: (await stream.finalResponse()).output_text, pieces };
    },
    async responses_tool() {
        const tools = [{ type: "function", name: "read_minutes", description: instructions, parameters: schema, strict: false }];
        const input = [{ role: "user", content: asked }];
        const first = await client.responses.create({ model: "gpt-5", instructions, input, tools });
        for (const call of first.output) {
            const output = readMinutes(JSON.parse(call.arguments));
            input.push(call, { type: "function_call_output", call_id: call.call_id, output });
        }
        return { text: (await client.responses.create({ model: "gpt-5", instructions, input, tools })).output_text };
    },
};

tell(await ways[told.way]());
