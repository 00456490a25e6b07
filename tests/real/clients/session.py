"""Clients from PyPI: list the tools and make two calls. Runs in the virtual environment.

    session.py handshake|discover|fastmcp SERVER OBJECT_TYPE QUERY_FILTER      prints one JSON document
    handshake and discover are the official client's two eras of the protocol; fastmcp is another client.
"""
import asyncio
import json
import os
import sys

from fastmcp import Client as FastClient
from fastmcp.client.transports import StdioTransport
from mcp import ClientSession, StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client

era, server, object_type, query_filter = sys.argv[1:]
parameters = StdioServerParameters(command=server, env=dict(os.environ))


async def use(client, protocol):
    """Everything that is asked of the server; a result as it came over the wire."""
    tools = await client.list_tools()
    sources = await client.call_tool("getLogSources", {})
    found = await client.call_tool("queryManagedObjects", {"objectType": object_type, "queryFilter": query_filter})
    dump = lambda result: result.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {"protocol": protocol, "tools": [dump(tool) for tool in tools.tools], "sources": dump(sources), "found": dump(found)}


async def handshake():
    async with stdio_client(parameters) as (reading, writing), ClientSession(reading, writing) as session:
        begun = await session.initialize()
        return await use(session, begun.protocol_version)


async def discover():
    async with Client(parameters) as client:
        return await use(client, client.protocol_version)


async def fastmcp():
    async with FastClient(StdioTransport(command=server, args=[], env=dict(os.environ))) as client:
        return await use(client.session, client.protocol_version)


print(json.dumps(asyncio.run({"handshake": handshake, "discover": discover, "fastmcp": fastmcp}[era]())))
