//! A bare rmcp server over stdio: the floor for the shim's start.

use rmcp::model::{ServerCapabilities, ServerConfig};
use rmcp::{ServerHandler, ServiceExt};

struct Bare;

impl ServerHandler for Bare {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

fn main() {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        if let Ok(served) = Bare.serve(rmcp::transport::stdio()).await {
            let _ = served.waiting().await;
        }
    });
    runtime.shutdown_background();
}
