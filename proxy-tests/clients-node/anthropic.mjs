// Anthropic's TypeScript SDK: whole, streamed, with a tool, and counted.

import Anthropic from "@anthropic-ai/sdk";

import { readMinutes, schema, tell, told } from "./told.mjs";

const client = new Anthropic({ baseURL: told.base_url.replace(/\/v1$/, ""), apiKey: told.key, maxRetries: 0 });
const { asked, instructions: system } = told;
const asks = { model: "claude-sonnet-5", max_tokens: 64, system, messages: [{ role: "user", content: asked }] };

const ways = {
    async messages() {
        const message = await client.messages.create(asks);
        return { text: message.content[0].text, cached: message.usage.cache_read_input_tokens };
    },
    async messages_streamed() {
        let pieces = 0;
        const stream = client.messages.stream(asks).on("text", () => (pieces += 1));
        return { text: await stream.finalText(), pieces };
    },
    async messages_tool() {
        const tools = [{ name: "read_minutes", description: system, input_schema: schema }];
        const first = await client.messages.create({ ...asks, tools });
        const results = first.content.map(({ id, input }) => ({
            type: "tool_result",
            tool_use_id: id,
            content: readMinutes(input),
        }));
        const said = [{ role: "assistant", content: first.content }, { role: "user", content: results }];
        const second = await client.messages.create({ ...asks, tools, messages: [...asks.messages, ...said] });
        return { text: second.content[0].text };
    },
    async messages_counted() {
        const { input_tokens } = await client.messages.countTokens({ model: asks.model, system, messages: asks.messages });
        return { text: String(input_tokens) };
    },
};

tell(await ways[told.way]());
