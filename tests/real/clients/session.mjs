// The official client from npm: lists the tools and makes two calls, in one era of the protocol.
//   session.mjs handshake|discover SERVER OBJECT_TYPE QUERY_FILTER      prints one JSON document
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const [era, server, objectType, queryFilter] = process.argv.slice(2);
const options = { handshake: {}, discover: { versionNegotiation: { mode: { pin: '2026-07-28' } } } }[era];
const client = new Client({ name: 'check', version: '1' }, options);

await client.connect(new StdioClientTransport({ command: server, env: process.env }));
const { tools } = await client.listTools();
const sources = await client.callTool({ name: 'getLogSources', arguments: {} });
const found = await client.callTool({ name: 'queryManagedObjects', arguments: { objectType, queryFilter } });
console.log(JSON.stringify({ protocol: client.getNegotiatedProtocolVersion(), tools, sources, found }));
await client.close();
