//! Serves MCP: everything but a tool call is answered from this program itself, without a broker.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Instant;

use aic_proto::catalogue::{self, Selection};
use rmcp::model::{
    CacheScope, CallToolRequestParams, CallToolResponse, CustomRequest, CustomResult, DiscoverResult, ErrorCode,
    Implementation, ListToolsResult, MetaObject, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::arguments::Arguments;
use crate::call::{self, Calls};
use crate::{armour, gate, offer, words};

/// How many calls may be in flight: rmcp starts every call at once, and a model that floods must hear of it.
const CALLS_AT_ONCE: usize = 32;
/// How long a client may keep the list and the description: they change with the program alone.
const FRESH_MS: u64 = 300_000;
/// Where 2026-07-28 has the server's name, in every result.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
/// The methods that this server knows; their bad parameters are told from an unknown method.
const METHODS: [&str; 5] = ["initialize", "server/discover", "ping", "tools/list", "tools/call"];

static SERVER: LazyLock<Implementation> = LazyLock::new(|| {
    let mut server = Implementation::new("aic-mcp", env!("CARGO_PKG_VERSION"));
    server.title = Some("PingOne Advanced Identity Cloud".to_owned());
    server
});

/// The MCP server of one editor.
#[derive(Debug, Clone)]
pub struct Server {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    calls: Calls,
    permits: Semaphore,
    instructions: String,
    selection: Selection,
    tools: Mutex<Option<Vec<Tool>>>,
}

impl Server {
    /// A server that has connected to nothing.
    #[must_use]
    pub fn new(arguments: Arguments) -> Self {
        let selection = offer::selection(&arguments);
        let shared = Shared {
            instructions: words::instructions(arguments.tenant.as_deref()),
            selection: selection.clone(),
            calls: Calls::new(arguments, selection),
            permits: Semaphore::new(CALLS_AT_ONCE),
            tools: Mutex::default(),
        };
        Self { shared: Arc::new(shared) }
    }

    fn tools(&self) -> Result<Vec<Tool>, ErrorData> {
        let mut kept = self.shared.tools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tools) = &*kept {
            return Ok(tools.clone());
        }
        let tools: Vec<Tool> = serde_json::from_str(&catalogue::listing(&self.shared.selection))
            .map_err(|_| ErrorData::internal_error("the tool catalogue cannot be read", None))?;
        Ok(kept.insert(tools).clone())
    }

    async fn call(
        &self,
        request: CallToolRequestParams,
        context: &RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arrived = Instant::now();
        let Ok(_permit) = self.shared.permits.try_acquire() else {
            return Ok(call::one_too_many(CALLS_AT_ONCE).into());
        };
        armour::guard(self.shared.calls.answer(&request, context, arrived)).await
    }
}

impl ServerHandler for Server {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(SERVER.clone())
            .with_instructions(self.shared.instructions.clone())
    }

    async fn discover(&self, _context: RequestContext<RoleServer>) -> Result<DiscoverResult, ErrorData> {
        let versions = self.supported_protocol_versions().into_owned();
        let found = DiscoverResult::from_server_info(versions, self.get_info());
        Ok(found.with_ttl_ms(FRESH_MS).with_cache_scope(CacheScope::Private))
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let listing = ListToolsResult::with_all_items(self.tools()?);
        let mut listing = listing.with_ttl_ms(FRESH_MS).with_cache_scope(CacheScope::Private);
        sign(&mut listing.meta, &context);
        Ok(listing)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let mut response = Box::pin(self.call(request, &context)).await?;
        match &mut response {
            CallToolResponse::Complete(result) => sign(&mut result.meta, &context),
            CallToolResponse::InputRequired(result) => sign(&mut result.meta, &context),
            _ => {}
        }
        Ok(response)
    }

    /// A known method whose parameters did not parse arrives here, and rmcp would call it unknown.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        match METHODS.contains(&request.method.as_str()) {
            true => Err(ErrorData::invalid_params(format!("Invalid params for {}", request.method), None)),
            false => Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "Method not found", None)),
        }
    }
}

/// Puts the server's name into a result of the era that asks for it.
fn sign(meta: &mut Option<MetaObject>, context: &RequestContext<RoleServer>) {
    if gate::is_modern(context) {
        let server: Value = serde_json::to_value(&*SERVER).unwrap_or_default();
        meta.get_or_insert_default().insert(SERVER_INFO.to_owned(), server);
    }
}
