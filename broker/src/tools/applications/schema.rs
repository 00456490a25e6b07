//! Shows which fields an OAuth2 client and an application have.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::realm::Realm;
use super::super::{Arguments, Output};
use super::{CLIENTS, clients};
use crate::aic::{Api, Fault, Path, Request};

/// What createOidcApp needs of an application.
const REQUIRED: [&str; 2] = ["name", "owners"];
/// The link to the client, which the tools of this set keep themselves.
const LINK: &str = "ssoEntities";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    realm: Realm,
    #[serde(default = "yes")]
    summary: bool,
    #[serde(default)]
    sections: Vec<String>,
    #[serde(default)]
    include_defaults: bool,
}

fn yes() -> bool {
    true
}

/// Shape: `{"oauth2Client": {"schema", "template"?}, "managedApplication": {"schema", "required"}}`; `schema` of the
/// application is null where the realm has none.
pub(super) async fn get(api: Api, arguments: Arguments) -> Result<Output, Fault> {
    let wanted: Wanted = arguments.read()?;
    let ask =
        |action| Request::post(clients(wanted.realm), json!({})).query("_action", action).version(CLIENTS).that_reads();
    let mut requests = vec![ask("schema"), Request::get(Path::fixed("/openidm/config/managed"))];
    requests.extend((!wanted.summary && wanted.include_defaults).then(|| ask("template")));
    let mut replies = Vec::new();
    for outcome in api.send_all(requests).await {
        replies.push(outcome?);
    }
    let [client, config, more @ ..] = replies.as_slice() else { return Ok(Output::data(Value::Null)) };
    let application = application_schema(&config.body, wanted.realm);
    let mut shown = match wanted.summary {
        true => json!({"schema": client_summary(&client.body)}),
        false => json!({"schema": limited(client.body.clone(), &wanted.sections)}),
    };
    if let (Some(template), Some(shown)) = (more.first(), shown.as_object_mut()) {
        shown.insert("template".to_owned(), template.body.clone());
    }
    let schema = application.map(|schema| if wanted.summary { application_summary(&schema) } else { schema });
    let value = json!({"oauth2Client": shown, "managedApplication": {"schema": schema, "required": REQUIRED}});
    let output = Output::data(value).of_transaction(client);
    Ok(match unheeded(&wanted, &client.body) {
        Some(warning) => output.with_warning(warning),
        None => output,
    })
}

/// What of the arguments has no effect.
fn unheeded(wanted: &Wanted, schema: &Value) -> Option<String> {
    if wanted.summary {
        let unused = !wanted.sections.is_empty() || wanted.include_defaults;
        return unused.then(|| "sections and includeDefaults count only with summary: false.".to_owned());
    }
    let known = schema.get("properties").and_then(Value::as_object)?;
    let unknown: Vec<&str> =
        wanted.sections.iter().map(String::as_str).filter(|name| !known.contains_key(*name)).collect();
    let names = known.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    (!unknown.is_empty()).then(|| format!("No such sections: {}. There are: {names}.", unknown.join(", ")))
}

fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

/// Per section and setting its title, type and choices; of a setting that can be inherited, those of its value.
fn client_summary(schema: &Value) -> Value {
    let section = |section: &Value| -> Value {
        properties(section)
            .into_iter()
            .flatten()
            .map(|(name, setting)| (name.clone(), setting_summary(setting)))
            .collect()
    };
    properties(schema).into_iter().flatten().map(|(name, inside)| (name.clone(), section(inside))).collect()
}

fn setting_summary(setting: &Value) -> Value {
    let inner = setting.pointer("/properties/value").unwrap_or(setting);
    let members = [("title", setting.get("title")), ("type", inner.get("type")), ("enum", inner.get("enum"))];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.clone()))).collect()
}

fn limited(mut schema: Value, sections: &[String]) -> Value {
    if let (Some(known), false) = (schema.get_mut("properties").and_then(Value::as_object_mut), sections.is_empty()) {
        known.retain(|name, _| sections.contains(name));
    }
    schema
}

/// Properties and required fields of the realm's application object, its link left out.
fn application_schema(config: &Value, realm: Realm) -> Option<Value> {
    let name = format!("{}_application", realm.as_str());
    let objects = config.get("objects")?.as_array()?;
    let schema =
        objects.iter().find(|object| object.get("name").and_then(Value::as_str) == Some(&name))?.get("schema")?;
    let mut fields = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    fields.remove(LINK);
    Some(json!({"properties": fields, "required": schema.get("required")}))
}

fn application_summary(schema: &Value) -> Value {
    let required: Vec<&str> =
        schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    let field = |(name, field): (&String, &Value)| {
        (name.clone(), json!({"type": field.get("type"), "required": required.contains(&name.as_str())}))
    };
    properties(schema).into_iter().flatten().map(field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_shows_the_value_of_what_can_be_inherited() {
        let choice = json!({"title": "T", "type": "object", "properties": {"inherited": {}, "value": {"type": "string", "enum": ["a"]}}});
        let schema = json!({"properties": {"core": {"properties": {"x": choice, "y": {"type": "number"}}}, "empty": {"type": "object"}}});

        let wanted = json!({"core": {"x": {"title": "T", "type": "string", "enum": ["a"]}, "y": {"type": "number"}}, "empty": {}});
        assert_eq!(client_summary(&schema), wanted);
    }

    #[test]
    fn sections_limit_the_schema() {
        let schema = json!({"type": "object", "properties": {"a": {}, "b": {}}});
        let cases = [
            (vec![], json!({"type": "object", "properties": {"a": {}, "b": {}}})),
            (vec!["b".to_owned()], json!({"type": "object", "properties": {"b": {}}})),
            (vec!["z".to_owned()], json!({"type": "object", "properties": {}})),
        ];

        for (sections, wanted) in cases {
            assert_eq!(limited(schema.clone(), &sections), wanted, "{sections:?}");
        }
    }

    #[test]
    fn an_application_is_shown_without_its_link() {
        let fields = json!({"name": {"type": "string"}, "note": {"type": "string"}, "ssoEntities": {"type": "object"}});
        let config = json!({"objects": [{"name": "bare"}, {"name": "alpha_application", "schema": {"required": ["name"], "properties": fields}}]});

        let schema = application_schema(&config, Realm::Alpha).unwrap_or_default();

        assert_eq!(
            schema,
            json!({"properties": {"name": {"type": "string"}, "note": {"type": "string"}}, "required": ["name"]})
        );
        let wanted =
            json!({"name": {"type": "string", "required": true}, "note": {"type": "string", "required": false}});
        assert_eq!(application_summary(&schema), wanted);
        assert_eq!(application_schema(&config, Realm::Bravo), None);
    }

    #[test]
    fn arguments_without_effect_are_told() {
        let schema = json!({"properties": {"core": {}}});
        let cases =
            [(true, vec![], false), (true, vec!["core"], true), (false, vec!["core"], false), (false, vec!["x"], true)];

        for (summary, sections, wanted) in cases {
            let sections = sections.into_iter().map(str::to_owned).collect();
            let asked = Wanted { realm: Realm::Alpha, summary, sections, include_defaults: false };
            assert_eq!(unheeded(&asked, &schema).is_some(), wanted);
        }
    }
}
