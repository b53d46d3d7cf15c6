// Vercel's AI SDK with its providers for OpenAI (Responses, its default, and chat completions) and Anthropic.

import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

import { readMinutes, tell, told } from "./told.mjs";

const openai = createOpenAI({ baseURL: told.base_url, apiKey: told.key });
const anthropic = createAnthropic({ baseURL: told.base_url, apiKey: told.key });
const [api, way] = told.way.split("_");
const model = {
    chat: () => openai.chat("gpt-4o-mini"),
    responses: () => openai("gpt-5"),
    messages: () => anthropic("claude-sonnet-5"),
}[api]();
const asks = { model, system: told.instructions, prompt: told.asked, maxRetries: 0 };

switch (way) {
    case undefined:
        tell({ text: (await generateText(asks)).text });
        break;
    case "streamed": {
        const { textStream } = streamText(asks);
        const pieces = [];
        for await (const piece of textStream) {
            pieces.push(piece);
        }
        tell({ text: pieces.join(""), pieces: pieces.length });
        break;
    }
    case "tool": {
        const description = told.instructions;
        const read_minutes = tool({ description, inputSchema: z.object({ town: z.string() }), execute: readMinutes });
        const { text } = await generateText({ ...asks, tools: { read_minutes }, stopWhen: stepCountIs(3) });
        tell({ text });
        break;
    }
}
