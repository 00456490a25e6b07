//! The objects and documents of a fresh sandbox tenant: neutral names, all written for it.

use serde_json::{Value, json};

use super::schema::Definition;
use super::store::Directory;
use super::themes;

/// How many users the alpha realm starts with.
pub const ALPHA_USERS: usize = 12;

/// Returns the id of the n-th object of a kind: the same in every run.
pub fn id(kind: u32, number: usize) -> String {
    format!("{kind:08x}-0000-4000-8000-{number:012}")
}

/// Makes a directory with everything in it.
pub fn directory() -> Directory {
    let mut directory = Directory::new();
    users(&mut directory);
    others(&mut directory);
    relations(&mut directory);
    documents(&mut directory);
    directory
}

fn users(directory: &mut Directory) {
    for (realm, kind, count) in [("alpha", 1, ALPHA_USERS), ("bravo", 2, 2)] {
        for number in 1..=count {
            let user = json!({
                "_id": id(kind, number), "userName": format!("{realm}.user{number:02}"), "accountStatus": "active",
                "givenName": format!("Given{number:02}"), "sn": format!("Sample{:02}", count + 1 - number),
                "mail": format!("{realm}.user{number:02}@example.com"), "frIndexedInteger1": number,
                "city": if number % 2 == 0 { "Northtown" } else { "Southtown" },
            });
            directory.put(&format!("{realm}_user"), user);
        }
    }
}

fn others(directory: &mut Directory) {
    let rows = [
        ("alpha_role", json!({"_id": id(3, 1), "name": "operator", "description": "May run the plant"})),
        ("alpha_role", json!({"_id": id(3, 2), "name": "auditor", "description": "May look at the books"})),
        ("alpha_group", json!({"_id": "staff", "name": "staff", "description": "Everybody who works here"})),
        ("alpha_organization", json!({"_id": id(4, 1), "name": "Example Works"})),
        ("alpha_organization", json!({"_id": id(4, 2), "name": "Example Works North"})),
        (
            "alpha_assignment",
            json!({"_id": id(5, 1), "name": "plant access", "description": "Key to the plant", "mapping": "managedAlpha_user_plant"}),
        ),
        (
            "alpha_application",
            json!({"_id": id(6, 1), "name": "Sample portal", "templateName": "custom", "templateVersion": "1.0",
                   "ssoEntities": {"oidcId": "sample-portal"}}),
        ),
        (
            "alpha_application",
            json!({"_id": id(6, 2), "name": "Sample bookmark", "templateName": "bookmark", "templateVersion": "1.0", "url": "https://bookmark.example.com/"}),
        ),
    ];
    for (kind, object) in rows {
        directory.put(kind, object);
    }
}

fn relations(directory: &mut Directory) {
    let rows = [
        ("alpha_user", id(1, 1), "roles", format!("managed/alpha_role/{}", id(3, 1))),
        ("alpha_user", id(1, 2), "manager", format!("managed/alpha_user/{}", id(1, 1))),
        ("alpha_user", id(1, 1), "groups", "managed/alpha_group/staff".to_owned()),
        ("alpha_organization", id(4, 2), "parent", format!("managed/alpha_organization/{}", id(4, 1))),
        ("alpha_application", id(6, 1), "owners", format!("managed/alpha_user/{}", id(1, 1))),
    ];
    let document = directory.document();
    for (kind, from, name, to) in rows {
        if let Some(property) = Definition::find(&document, kind).and_then(|definition| definition.property(name)) {
            directory.link(&format!("managed/{kind}/{from}"), name, property, &json!({"_ref": to}));
        }
    }
}

fn documents(directory: &mut Directory) {
    let rows: [(&str, Value); 4] = [
        ("ui/configuration", json!({"configuration": {"lang": "en", "passwordReset": true, "forgotUsername": false}})),
        (
            "authentication",
            json!({"rsFilter": {"scopes": ["fr:idm:*"], "subjectMapping": [], "staticUserMapping": []}}),
        ),
        (
            "emailTemplate/welcome",
            json!({"enabled": true, "defaultLocale": "en", "from": "", "subject": {"en": "Welcome"}, "message": {"en": "<p>Welcome to the sandbox.</p>"}, "mimeType": "text/html"}),
        ),
        (
            "emailTemplate/resetPassword",
            json!({"enabled": true, "defaultLocale": "en", "from": "", "subject": {"en": "Your new password"}, "message": {"en": "<p>Follow the link.</p>"}, "mimeType": "text/html"}),
        ),
    ];
    for (id, mut document) in rows {
        if let Some(members) = document.as_object_mut() {
            members.insert("_id".to_owned(), json!(id));
        }
        directory.configs.insert(id.to_owned(), document);
    }
    directory.configs.insert(themes::DOCUMENT.to_owned(), themes::fresh());
}
