//! Declares the tools of the tool set `applications`: an OIDC client in AM with its application object in IDM.

use super::{AM, Hints, IDM, Tool, Toolset};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "createOidcApp",
        title: "Create OIDC app",
        description: "Creates an OAuth2 client in AM, then its application object in IDM. A clientId in use is \
            refused. If the second half fails, the result says what is left behind. Fields: getOidcAppSchema.",
        toolset: Toolset::Applications,
        scopes: &[AM, IDM],
        hints: Hints::ADDS_ONCE,
        input: closed!([r#""realm","name","clientId","owners""#] realm!(), application_name!(),
            concat!(r#""clientId":{"#, segment!(), "}"),
            r#""owners":{"type":"array","items":{"type":"object"},"minItems":1,"description":"e.g. [{\"_ref\":\"managed/alpha_user/ID\"}]"}"#,
            concat!(r#""oauth2Client":{"type":"object","description":"By section, e.g. {\"coreOAuth2ClientConfig\":"#,
                r#"{\"redirectionUris\":{\"inherited\":false,\"value\":[\"https://app.example.com/cb\"]}}}; rest by AM's defaults"}"#)),
    },
    Tool {
        name: "deleteOidcApp",
        title: "Delete OIDC app",
        description: "Deletes an application: its object in IDM and its OAuth2 client in AM. No undo; sign-ins \
            through it fail. A name that several share is refused. The result says which halves are gone.",
        toolset: Toolset::Applications,
        scopes: &[AM, IDM],
        hints: Hints::OVERWRITES,
        input: closed!([r#""realm","name""#] realm!(), application_name!()),
    },
    Tool {
        name: "getOidcApp",
        title: "Get OIDC app",
        description: "An application by exact name: its OAuth2 client (null when none is linked) and its object \
            with the _rev for updateOidcApp. Secrets never come.",
        toolset: Toolset::Applications,
        scopes: &[AM, IDM],
        hints: Hints::READS,
        input: closed!([r#""realm","name""#] realm!(), application_name!()),
    },
    Tool {
        name: "getOidcAppSchema",
        title: "Get OIDC app schema",
        description: "Fields of an OAuth2 client, by section, and of the application object. Begin with the \
            summary; then summary false for some sections, as the whole is very long.",
        toolset: Toolset::Applications,
        scopes: &[AM, IDM],
        hints: Hints::READS,
        input: closed!([r#""realm""#] realm!(), r#""summary":{"type":"boolean","default":true,"description":"Titles and types only"}"#,
            r#""sections":{"type":"array","items":{"type":"string"},"description":"Default all; only with summary false"}"#,
            r#""includeDefaults":{"type":"boolean","description":"Only with summary false"}"#),
    },
    Tool {
        name: "listOidcApps",
        title: "List OIDC apps",
        description: "All applications of a realm, those without OIDC too: _id, name, template, client id \
            (ssoEntities.oidcId). Not paged.",
        toolset: Toolset::Applications,
        scopes: &[IDM],
        hints: Hints::READS,
        input: closed!([r#""realm""#] realm!(), text!("queryFilter", "Default all; e.g. name sw \\\"my\\\"")),
    },
    Tool {
        name: "updateOidcApp",
        title: "Update OIDC app",
        description: "Changes an application by exact name: its OAuth2 client, its object, or both. Read it first \
            (getOidcApp). The client goes first: if the object then fails (stale _rev), the client stays changed \
            and the result says so. Old values are not kept. ssoEntities, the link, cannot change.",
        toolset: Toolset::Applications,
        scopes: &[AM, IDM],
        hints: Hints::OVERWRITES,
        input: closed!([r#""realm","name""#] realm!(), application_name!(),
            object!("oauth2Client", "As in createOidcApp; settings not given stay"),
            concat!(r#""managedApplication":"#, closed!([r#""_rev","operations""#]
                r#""_rev":{"type":"string","minLength":1,"pattern":"^[!-~]+$"}"#,
                operations!(r#""add","remove","replace""#, r#""description":"JSON pointer, e.g. /description""#)));
            r#""minProperties":3"#),
    },
];
