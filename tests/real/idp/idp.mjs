// A real OAuth authorization server on a free loopback port, for tests: strict where the RFCs are.
// Prints one JSON document a line: {"issuer"} when it listens, then {"grant", "client", "scope", "token"} for each token it gives out.
import http from 'node:http';
import { Provider, errors } from 'oidc-provider';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const SCOPES = ['fr:idm:*', 'fr:idc:monitoring:*', 'fr:idc:esv:update', 'fr:idc:esv:read', 'fr:am:*'];
const PRIMARY_SECONDS = 3600;
const SCOPED_SECONDS = 300;
// Who may exchange whose tokens.
const MAY_ACT = { AICMCPExchangeClient: 'AICMCPClient' };

const tell = (line) => console.log(JSON.stringify(line));
const publicClient = { application_type: 'native', token_endpoint_auth_method: 'none' };
const sameClient = (ctx, client, token) => token.clientId === client.clientId;

const server = http.createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [
    // RFC 8252 section 7.3: a native client's loopback redirect may have any port.
    { ...publicClient, client_id: 'AICMCPClient', redirect_uris: ['http://localhost', 'http://127.0.0.1'], response_types: ['code'], grant_types: ['authorization_code', DEVICE] },
    { ...publicClient, client_id: 'AICMCPExchangeClient', redirect_uris: [], response_types: [], grant_types: [EXCHANGE] },
    { client_id: 'resource-server', client_secret: 'resource-server-secret', redirect_uris: [], response_types: [], grant_types: [] },
  ],
  scopes: SCOPES,
  pkce: { required: () => true },
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    revocation: { enabled: true, allowedPolicy: sameClient },
    introspection: { enabled: true, allowedPolicy: (ctx, client, token) => client.clientId === 'resource-server' || sameClient(ctx, client, token) },
  },
  ttl: { AccessToken: PRIMARY_SECONDS, AuthorizationCode: 60, DeviceCode: 300, Grant: 86400, Session: 86400, Interaction: 3600 },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
});

// RFC 8693 section 2, down-scoping only. The token belongs to the client that exchanged, which alone may revoke it (RFC 7009 section 2.1).
provider.registerGrantType(EXCHANGE, async (ctx) => {
  const { params, client } = ctx.oidc;
  if (!params.subject_token || params.subject_token_type !== ACCESS_TOKEN) throw new errors.InvalidRequest('subject_token with its type is required');
  if (params.requested_token_type && params.requested_token_type !== ACCESS_TOKEN) throw new errors.InvalidRequest('unsupported requested_token_type');
  const subject = await provider.AccessToken.find(params.subject_token);
  if (!subject || subject.isExpired || subject.clientId !== MAY_ACT[client.clientId]) throw new errors.InvalidGrant('subject_token is invalid');
  const held = subject.scope.split(' ');
  const wanted = params.scope ? params.scope.split(' ') : held;
  const surplus = wanted.filter((scope) => !held.includes(scope));
  if (surplus.length > 0) throw new errors.InvalidScope('the subject token does not have it', surplus.join(' '));
  const { accountId } = subject;
  const grant = new provider.Grant({ accountId, clientId: client.clientId });
  grant.addOIDCScope(wanted.join(' '));
  const token = new provider.AccessToken({ accountId, client, grantId: await grant.save(), gty: 'token_exchange', scope: wanted.join(' ') });
  token.expiresIn = Math.min(SCOPED_SECONDS, subject.remainingTTL);
  const value = await token.save();
  ctx.body = { access_token: value, issued_token_type: ACCESS_TOKEN, token_type: token.tokenType, expires_in: token.expiration, scope: token.scope };
}, ['subject_token', 'subject_token_type', 'requested_token_type', 'scope']);

provider.use(async (ctx, next) => {
  await next();
  const token = ctx.oidc?.route === 'token' ? ctx.body?.access_token : undefined;
  if (token) tell({ grant: ctx.oidc.params.grant_type, client: ctx.oidc.client.clientId, scope: ctx.body.scope, token });
});

server.on('request', provider.callback());
tell({ issuer });
