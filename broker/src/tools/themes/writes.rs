//! Creates, updates and deletes themes and sets the default one.
//!
//! All themes are one document without a revision. Its writers in this broker queue for it; what comes from elsewhere
//! shows in the write's own answer, which carries the stored document: it is compared with what was sent.

use aic_proto::refusal::Kind;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::document::{
    Named, add, came_between, check_identifier, check_name, check_update, is_default, is_only_default, linked_trees,
    make_default, merge, named, place_of, themes_of,
};
use crate::aic::{Api, Fault, Path, Request};
use crate::clock;
use crate::tools::{Arguments, Output};

/// The document's name among the locks.
const DOCUMENT: &str = "ui/themerealm";

fn path() -> Path {
    Path::fixed("/openidm/config/ui/themerealm")
}

async fn read(api: &Api) -> Result<Value, Fault> {
    Ok(api.send(Request::get(path())).await?.body)
}

/// Writes the document and says what another writer did to it.
async fn write(api: &Api, document: Value) -> Result<Option<String>, Fault> {
    let reply = api.send(Request::put(path(), document.clone())).await?;
    Ok(came_between(&document, &reply.body))
}

fn told(text: String, theme: &Named, warning: Option<String>) -> Output {
    Output { warning, ..Output::told(text, json!({ "_id": theme.id, "name": theme.name })) }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    realm: String,
    theme_data: Map<String, Value>,
}

/// Shape: `{"_id", "name"}`.
pub(super) async fn create(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Create { realm, theme_data } = arguments.read()?;
    check_name("themeData", &theme_data)?;
    let ours = ["_id", "isDefault"].iter().any(|member| theme_data.contains_key(*member));
    let id = clock::uuid().map_err(|error| Fault::Broker {
        kind: Kind::Internal,
        message: format!("the OS gave no random bytes for the theme's id: {error}"),
        hint: None,
    })?;
    let _writing = api.lock(DOCUMENT).await?;
    let mut document = read(&api).await?;
    let theme = add(themes_of(&mut document, &realm)?, theme_data, id)?;
    let warning = write(&api, document).await?;
    let mut text = format!("Created the theme {} ({}) in realm {realm}; it is not the default.", theme.name, theme.id);
    if ours {
        text.push_str(
            " The given _id and isDefault were not used: ids are made here, setDefaultTheme sets the default.",
        );
    }
    Ok(told(text, &theme, warning))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Update {
    realm: String,
    theme_identifier: String,
    theme_updates: Map<String, Value>,
}

/// Shape: `{"_id", "name"}` as they are now.
pub(super) async fn update(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let Update { realm, theme_identifier, theme_updates } = arguments.read()?;
    check_identifier(&theme_identifier)?;
    check_update(&theme_updates)?;
    let fields: Vec<String> = theme_updates.keys().cloned().collect();
    let _writing = api.lock(DOCUMENT).await?;
    let mut document = read(&api).await?;
    let themes = themes_of(&mut document, &realm)?;
    let place = place_of(themes, &realm, &theme_identifier)?;
    let theme = merge(themes, place, theme_updates)?;
    let warning = write(&api, document).await?;
    let fields = if fields.is_empty() { "no field".to_owned() } else { fields.join(", ") };
    Ok(told(format!("Updated {fields} of the theme {} ({}) in realm {realm}.", theme.name, theme.id), &theme, warning))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct One {
    realm: String,
    theme_identifier: String,
}

/// Shape: `{"_id", "name", "isDefault": true}`.
pub(super) async fn set_default(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let One { realm, theme_identifier } = arguments.read()?;
    check_identifier(&theme_identifier)?;
    let _writing = api.lock(DOCUMENT).await?;
    let mut document = read(&api).await?;
    let themes = themes_of(&mut document, &realm)?;
    let place = place_of(themes, &realm, &theme_identifier)?;
    let Named { id, name } = themes.get(place).map(named).unwrap_or_default();
    let value = json!({ "_id": id, "name": name, "isDefault": true });
    if is_only_default(themes, place) {
        return Ok(Output::told(
            format!("{name} is the default theme of realm {realm} already: nothing was changed."),
            value,
        ));
    }
    make_default(themes, place);
    let warning = write(&api, document).await?;
    Ok(Output { warning, ..Output::told(format!("{name} ({id}) is now the default theme of realm {realm}."), value) })
}

/// Shape: `{"_id", "name"}` of the theme that is gone.
pub(super) async fn delete(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let One { realm, theme_identifier } = arguments.read()?;
    check_identifier(&theme_identifier)?;
    let _writing = api.lock(DOCUMENT).await?;
    let mut document = read(&api).await?;
    let themes = themes_of(&mut document, &realm)?;
    let place = place_of(themes, &realm, &theme_identifier)?;
    if themes.get(place).is_some_and(is_default) {
        return Err(Fault::refused_with(
            Kind::NotAllowed,
            format!("{theme_identifier} is the default theme of realm {realm}"),
            "make another theme the default first (setDefaultTheme)",
        ));
    }
    let removed = themes.remove(place);
    let warning = write(&api, document).await?;
    let theme = named(&removed);
    let mut text = format!("Deleted the theme {} ({}) of realm {realm}.", theme.name, theme.id);
    let trees = linked_trees(&removed);
    if !trees.is_empty() {
        text.push_str(&format!(" These journeys used it and show the default theme now: {}.", trees.join(", ")));
    }
    Ok(told(text, &theme, warning))
}
