//! Themes of the hosted pages: the read view. The document itself is `config/ui/themerealm`.

use serde_json::{Value, json};

use super::{Desk, no_method, query, refuse};
use crate::tenant::crest::fields;
use crate::tenant::crest::filter::Case;
use crate::tenant::reply::{Outcome, Reply};
use crate::tenant::request::Request;

/// The id of the document.
pub(super) const DOCUMENT: &str = "ui/themerealm";

/// Answers `/openidm/ui/theme/`.
pub(super) fn answer(desk: &Desk<'_>, request: &Request) -> Outcome {
    if request.method != "GET" {
        return Err(no_method(request));
    }
    let Some(realm) = request.query("realm").filter(|realm| !realm.is_empty()) else {
        return Err(refuse(400, "The query parameter 'realm' is required"));
    };
    let filter = query::read_filter(request)?;
    let document = desk.directory.configs.get(DOCUMENT).cloned().unwrap_or_default();
    let themes = document.get("realm").and_then(|realms| realms.get(realm)).and_then(Value::as_array);
    let mut page =
        query::run(themes.cloned().unwrap_or_default(), &filter, Case::Kept, request, query::manner(desk.switches))?;
    let fields = fields::read(request.query("_fields"));
    for theme in page.get_mut("result").and_then(Value::as_array_mut).into_iter().flatten() {
        *theme = fields::select(theme, &fields);
    }
    Ok(Reply::json(200, page))
}

/// The themes of a fresh tenant: exactly one default a realm, and a name that two themes share.
pub(super) fn fresh() -> Value {
    let theme = |number: usize, name: &str, default: bool, trees: &[&str]| {
        json!({
            "_id": super::seed::id(7, number), "name": name, "isDefault": default, "linkedTrees": trees,
            "primaryColor": "#204060", "primaryOffColor": "#102030", "secondaryColor": "#708090", "textColor": "#ffffff",
            "backgroundColor": "#ffffff", "buttonRounded": if number == 1 { json!(5) } else { json!("50") },
            "logo": "https://static.example.com/logo.svg", "logoHeight": "40", "pageTitle": "Sample works",
            "accountFooterEnabled": false, "journeyFooterEnabled": false, "journeyLayout": "card", "fontFamily": "sans-serif",
        })
    };
    json!({
        "_id": DOCUMENT,
        "realm": {
            "alpha": [theme(1, "Harbour", true, &[]), theme(2, "Meadow", false, &["Login"]), theme(3, "Meadow", false, &[])],
            "bravo": [theme(4, "Harbour", true, &[])],
        },
    })
}
