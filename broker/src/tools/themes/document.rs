//! Reads and changes `ui/themerealm`, the one document that holds the themes of all realms. Touches no network.

use aic_proto::refusal::Kind;
use serde_json::{Map, Value};

use crate::aic::{Fault, Path};

/// Which theme was meant, in the tenant's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Named {
    /// Its id.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
}

/// Checks an id or name by the rule for one path segment, which the tools have always had.
///
/// Errors: [`Fault::Invalid`] naming `themeIdentifier`.
pub(super) fn check_identifier(identifier: &str) -> Result<(), Fault> {
    Path::fixed("").segment("themeIdentifier", identifier).map(drop)
}

/// The themes of a realm, to be changed in place.
///
/// Shape: `{"_id": "ui/themerealm", "realm": {"alpha": [theme…], "bravo": [theme…]}}`.
/// Errors: `NotFound` when the document has no such realm.
pub(super) fn themes_of<'a>(document: &'a mut Value, realm: &str) -> Result<&'a mut Vec<Value>, Fault> {
    let themes = document.get_mut("realm").and_then(|realms| realms.get_mut(realm)).and_then(Value::as_array_mut);
    themes.ok_or_else(|| Fault::refused(Kind::NotFound, format!("the tenant's themes have no realm {realm}")))
}

/// Where the theme with that id is, else the one with that name.
///
/// Errors: `NotFound`; `Conflict` when several have the name, which real tenants allow.
pub(super) fn place_of(themes: &[Value], realm: &str, identifier: &str) -> Result<usize, Fault> {
    let with = |member: &str| -> Vec<usize> {
        let matching = themes.iter().enumerate().filter(|(_, theme)| text(theme, member) == identifier);
        matching.map(|(place, _)| place).collect()
    };
    match (with("_id").as_slice(), with("name").as_slice()) {
        ([place], _) | ([], [place]) => Ok(*place),
        ([], []) => Err(not_found(realm, identifier)),
        _ => Err(several(realm, identifier)),
    }
}

/// No theme has that id or name.
pub(super) fn not_found(realm: &str, identifier: &str) -> Fault {
    let message = format!("realm {realm} has no theme {identifier}");
    Fault::refused_with(Kind::NotFound, message, "getThemes lists the themes of a realm")
}

/// Several themes have that name.
pub(super) fn several(realm: &str, identifier: &str) -> Fault {
    let message = format!("realm {realm} has several themes {identifier}");
    Fault::refused_with(Kind::Conflict, message, "name the one by its _id: getThemes lists them")
}

/// A theme's id and name.
pub(super) fn named(theme: &Value) -> Named {
    Named { id: text(theme, "_id").to_owned(), name: text(theme, "name").to_owned() }
}

fn text<'a>(theme: &'a Value, member: &str) -> &'a str {
    theme.get(member).and_then(Value::as_str).unwrap_or_default()
}

/// Checks the name in new members of a theme.
///
/// Errors: [`Fault::Invalid`] naming `argument` when it is no text or blank.
pub(super) fn check_name<'a>(argument: &'static str, members: &'a Map<String, Value>) -> Result<&'a str, Fault> {
    let name = members.get("name").and_then(Value::as_str).filter(|name| !name.trim().is_empty());
    name.ok_or_else(|| Fault::invalid(format!("{argument}.name"), "must be text and not empty"))
}

/// Refuses a name that another theme has.
fn check_free(themes: &[Value], name: &str, but: Option<usize>) -> Result<(), Fault> {
    let taken = themes.iter().enumerate().any(|(place, theme)| Some(place) != but && text(theme, "name") == name);
    match taken {
        true => Err(Fault::refused(Kind::Conflict, format!("the realm has a theme named {name} already"))),
        false => Ok(()),
    }
}

/// Appends a theme. Its id is ours, and it is never the default: setDefaultTheme makes it so.
///
/// Errors: `Conflict` when the name is taken.
pub(super) fn add(themes: &mut Vec<Value>, mut members: Map<String, Value>, id: String) -> Result<Named, Fault> {
    let name = check_name("themeData", &members)?.to_owned();
    check_free(themes, &name, None)?;
    members.insert("_id".to_owned(), id.clone().into());
    members.insert("isDefault".to_owned(), false.into());
    themes.push(Value::Object(members));
    Ok(Named { id, name })
}

/// Checks what can be checked of an update before the themes are read.
///
/// Errors: [`Fault::Invalid`] when it holds `_id` or `isDefault`, or a name that is none.
pub(super) fn check_update(members: &Map<String, Value>) -> Result<(), Fault> {
    if members.contains_key("_id") {
        return Err(Fault::invalid("themeUpdates._id", "cannot be changed"));
    }
    if members.contains_key("isDefault") {
        return Err(Fault::invalid("themeUpdates.isDefault", "is changed by setDefaultTheme"));
    }
    match members.contains_key("name") {
        true => check_name("themeUpdates", members).map(drop),
        false => Ok(()),
    }
}

/// Puts members into the theme at that place; what is not named stays.
///
/// Errors: `Conflict` when the new name is another theme's.
pub(super) fn merge(themes: &mut [Value], place: usize, members: Map<String, Value>) -> Result<Named, Fault> {
    if let Some(name) = members.get("name").and_then(Value::as_str) {
        check_free(themes, name, Some(place))?;
    }
    match themes.get_mut(place).and_then(Value::as_object_mut) {
        Some(theme) => theme.extend(members),
        None => return Err(Fault::refused(Kind::Conflict, "the theme is not an object")),
    }
    Ok(themes.get(place).map(named).unwrap_or_default())
}

/// Whether that theme is the default, and no other.
pub(super) fn is_only_default(themes: &[Value], place: usize) -> bool {
    themes.iter().enumerate().all(|(other, theme)| is_default(theme) == (other == place))
}

/// Whether a theme is the default of its realm.
pub(super) fn is_default(theme: &Value) -> bool {
    theme.get("isDefault") == Some(&Value::Bool(true))
}

/// Makes the theme at that place the default, and no other.
pub(super) fn make_default(themes: &mut [Value], place: usize) {
    for (other, theme) in themes.iter_mut().enumerate() {
        if let Some(members) = theme.as_object_mut() {
            members.insert("isDefault".to_owned(), (other == place).into());
        }
    }
}

/// The journeys that name a theme as theirs.
pub(super) fn linked_trees(theme: &Value) -> Vec<&str> {
    let trees = theme.get("linkedTrees").and_then(Value::as_array);
    trees.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Says that the stored document is not the one that was sent; nothing where the answer carries none.
pub(super) fn came_between(sent: &Value, answer: &Value) -> Option<String> {
    let (sent, stored) = (sent.get("realm")?, answer.get("realm")?);
    (sent != stored).then(|| {
        "the themes that the tenant stored are not those that were sent: another writer may have changed them at the \
         same time; check them by getThemes"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
    use super::*;
    use serde_json::json;

    fn themes() -> Vec<Value> {
        let list = json!([
            { "_id": "1", "name": "Starter", "isDefault": true, "linkedTrees": [] },
            { "_id": "2", "name": "Robroy", "isDefault": false, "linkedTrees": ["Login", "Register"] },
            { "_id": "3", "name": "Twin" },
            { "_id": "4", "name": "Twin" },
            { "_id": "5", "name": "1" },
        ]);
        list.as_array().unwrap().clone()
    }

    fn members(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn kind<T>(result: Result<T, Fault>) -> Result<T, Kind> {
        result.map_err(|fault| match fault {
            Fault::Refused { kind, .. } => kind,
            Fault::Invalid { .. } => Kind::InvalidArguments,
            other => panic!("{other}"),
        })
    }

    #[test]
    fn a_theme_is_found_by_id_then_by_name() {
        let cases = [
            ("2", Ok(1)),
            ("Robroy", Ok(1)),
            ("1", Ok(0)),
            ("Twin", Err(Kind::Conflict)),
            ("4", Ok(3)),
            ("robroy", Err(Kind::NotFound)),
            ("", Err(Kind::NotFound)),
        ];

        for (identifier, wanted) in cases {
            assert_eq!(kind(place_of(&themes(), "alpha", identifier)), wanted, "{identifier:?}");
        }
    }

    #[test]
    fn a_new_theme_has_our_id_and_is_not_the_default() {
        let cases = [
            (json!({ "name": "Fresh", "_id": "mine", "isDefault": true, "a": 1 }), Ok(())),
            (json!({ "name": "Robroy" }), Err(Kind::Conflict)),
            (json!({ "name": 5 }), Err(Kind::InvalidArguments)),
            (json!({ "name": " " }), Err(Kind::InvalidArguments)),
            (json!({}), Err(Kind::InvalidArguments)),
        ];

        for (data, wanted) in cases {
            let mut list = themes();
            let added = kind(add(&mut list, members(data.clone()), "new".to_owned()));
            assert_eq!(added.clone().map(drop), wanted, "{data}");
            if added.is_ok() {
                assert_eq!(list[5], json!({ "name": "Fresh", "_id": "new", "isDefault": false, "a": 1 }));
            }
        }
    }

    #[test]
    fn an_update_leaves_identity_alone() {
        let cases = [
            (json!({ "primaryColor": "#fff" }), true),
            (json!({}), true),
            (json!({ "name": "New" }), true),
            (json!({ "name": "" }), false),
            (json!({ "name": null }), false),
            (json!({ "_id": "x" }), false),
            (json!({ "isDefault": true }), false),
        ];

        for (update, wanted) in cases {
            assert_eq!(check_update(&members(update.clone())).is_ok(), wanted, "{update}");
        }
    }

    #[test]
    fn a_merge_keeps_what_is_not_named() {
        let mut list = themes();

        let renamed = merge(&mut list, 1, members(json!({ "name": "Robroy", "linkedTrees": [], "x": null }))).unwrap();

        assert_eq!(renamed, Named { id: "2".to_owned(), name: "Robroy".to_owned() });
        assert_eq!(list[1], json!({ "_id": "2", "name": "Robroy", "isDefault": false, "linkedTrees": [], "x": null }));
        assert_eq!(kind(merge(&mut list, 1, members(json!({ "name": "Starter" })))), Err(Kind::Conflict));
    }

    #[test]
    fn there_is_one_default() {
        let mut list = themes();
        assert!(is_only_default(&list, 0) && !is_only_default(&list, 1));

        make_default(&mut list, 2);

        assert!(is_only_default(&list, 2));
        assert_eq!(list[3]["isDefault"], json!(false));
        list[3]["isDefault"] = json!(true);
        assert!(!is_only_default(&list, 2));
    }

    #[test]
    fn another_writer_shows_in_the_answer() {
        let sent = json!({ "_id": "ui/themerealm", "realm": { "alpha": themes() } });
        let other = json!({ "_id": "ui/themerealm", "realm": { "alpha": [] } });
        let cases =
            [(sent.clone(), false), (other, true), (json!({ "_id": "ui/themerealm" }), false), (Value::Null, false)];

        for (answer, wanted) in cases {
            assert_eq!(came_between(&sent, &answer).is_some(), wanted, "{answer}");
        }
        assert_eq!(linked_trees(&themes()[1]), ["Login", "Register"]);
    }
}
