// The least of OpenAI's chat completions in front of a GGUF model, for the examples: `node server.mjs MODEL CONTEXT`.
// Prints the address that it listens on. Requests are answered one after another.
import { createServer } from "node:http";
import { getLlama, LlamaChatSession } from "node-llama-cpp";

const [model, size] = process.argv.slice(2);
const llama = await getLlama({ gpu: false, build: "never", logLevel: "error" });
const loaded = await llama.loadModel({ modelPath: model });
const context = await loaded.createContext({ contextSize: Number(size), threads: Number(process.env.LOCAL_MODEL_THREADS ?? 0) || undefined });
const sequence = context.getSequence();

async function answer(body) {
  if (!body.cache_prompt) await sequence.clearHistory();
  const before = sequence.tokenMeter.getState();
  const session = new LlamaChatSession({ contextSequence: sequence, autoDisposeSequence: false });
  // What a tool found is read as the user's, since the model was not taught tools.
  const system = body.messages.filter((message) => message.role === "system").map((message) => message.content);
  const said = body.messages.filter((message) => ["user", "tool"].includes(message.role)).map((message) => message.content);
  if (system.length) session.setChatHistory([{ type: "system", text: system.join("\n") }]);
  const content = await session.prompt(said.reverse().join("\n\n"), { temperature: 0, maxTokens: body.max_tokens });
  const used = sequence.tokenMeter.diff(before);
  session.dispose();
  return {
    object: "chat.completion",
    model: body.model,
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
    usage: { prompt_tokens: used.usedInputTokens, completion_tokens: used.usedOutputTokens },
  };
}

let last = Promise.resolve();
const server = createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    last = last.then(async () => {
      const body = JSON.parse(Buffer.concat(parts).toString());
      const reply = await answer(body).catch((error) => ({ error: { message: String(error) } }));
      response.writeHead(reply.error ? 500 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(reply));
    });
  });
});
server.listen(0, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/v1`));
