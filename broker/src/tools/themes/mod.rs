//! The tools of the tool set `themes`: how the hosted pages of a realm look.

use super::Tool;

mod document;
mod reads;
mod schema;
mod writes;

/// The family.
pub(super) const TOOLS: &[Tool] = &[
    Tool { name: "getThemes", run: |api, arguments| Box::pin(reads::list(api, arguments)) },
    Tool { name: "getTheme", run: |api, arguments| Box::pin(reads::get(api, arguments)) },
    Tool { name: "getThemeSchema", run: |_, _| Box::pin(async { schema::get() }) },
    Tool { name: "createTheme", run: |api, arguments| Box::pin(writes::create(api, arguments)) },
    Tool { name: "updateTheme", run: |api, arguments| Box::pin(writes::update(api, arguments)) },
    Tool { name: "setDefaultTheme", run: |api, arguments| Box::pin(writes::set_default(api, arguments)) },
    Tool { name: "deleteTheme", run: |api, arguments| Box::pin(writes::delete(api, arguments)) },
];
