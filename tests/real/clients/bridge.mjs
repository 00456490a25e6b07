// Stands between the conformance suite, which speaks HTTP alone, and a server on stdio. For tests, on loopback.
//   bridge.mjs SERVER [ARGUMENT…]      prints the port that it took
// A session that `initialize` opened is one process; a request without a session is a process of its own, as 2026-07-28 allows.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

const LOOPBACK = /^(https?:\/\/)?(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;
const [program, ...words] = process.argv.slice(2);
const sessions = new Map();

class Server {
  #waiting = new Map();
  listener = null;

  constructor() {
    this.process = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.process.stdin.on('error', () => {});
    this.process.on('exit', () => this.#waiting.forEach((response) => response.end()));
    createInterface({ input: this.process.stdout }).on('line', (line) => line && this.#said(JSON.parse(line)));
  }

  ask(message, response) {
    this.#waiting.set(JSON.stringify(message.id), response);
    this.tell(message);
  }

  tell(message) {
    this.process.stdin.write(`${JSON.stringify(message)}\n`);
  }

  end() {
    this.process.stdin.end();
  }

  #said(message) {
    const id = JSON.stringify(message.id);
    const response = message.method ? undefined : this.#waiting.get(id);
    if (response) {
      this.#waiting.delete(id);
      send(response, message);
      response.end();
      if (!response.session) this.end();
    } else {
      const open = [...this.#waiting.values()].at(-1) ?? this.listener;
      if (open) send(open, message);
    }
  }
}

function send(response, message) {
  if (!response.headersSent) {
    response.writeHead(200, { 'content-type': 'text/event-stream', ...(response.session && { 'mcp-session-id': response.session }) });
  }
  response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
}

function refuse(response, status, error) {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(error && JSON.stringify({ jsonrpc: '2.0', id: null, error }));
}

function listen(server, response) {
  server.listener = response;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
}

function post(body, session, response) {
  let message;
  try {
    message = JSON.parse(body);
  } catch {
    return refuse(response, 400, { code: -32700, message: 'not JSON' });
  }
  const server = sessions.get(session) ?? new Server();
  response.session = session;
  if (message.method === 'initialize') {
    response.session = randomUUID();
    sessions.set(response.session, server);
  }
  if (message.method && message.id !== undefined) return server.ask(message, response);
  server.tell(message);
  if (!session) server.end();
  return refuse(response, 202);
}

const bridge = createServer(async (request, response) => {
  const { host = '', origin, 'mcp-session-id': session } = request.headers;
  let body = '';
  for await (const piece of request) body += piece;
  if (!LOOPBACK.test(host) || (origin && !LOOPBACK.test(origin))) return refuse(response, 403);
  if (session && !sessions.has(session)) return refuse(response, 404);
  if (request.method === 'POST') return post(body, session, response);
  if (request.method === 'GET' && session) return listen(sessions.get(session), response);
  if (request.method !== 'DELETE') return refuse(response, 405);
  sessions.get(session)?.end();
  sessions.delete(session);
  return refuse(response, 200);
});
bridge.listen(0, '127.0.0.1', () => console.log(bridge.address().port));
