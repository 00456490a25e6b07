//! Declares the tools of the tool set `themes`: the look of the hosted pages.

use super::{Hints, IDM, Tool, Toolset};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "createTheme",
        title: "Create theme",
        description: "Adds a theme to a realm and returns its _id. Fields: getThemeSchema. A name in use is \
            refused. Not the default until setDefaultTheme.",
        toolset: Toolset::Themes,
        scopes: &[IDM],
        hints: Hints::ADDS_ONCE,
        input: closed!([r#""realm","themeData""#] realm!(),
            r#""themeData":{"type":"object","required":["name"],"allOf":[{"properties":{"name":{"type":"string","minLength":1}}}],"description":"name and any other theme fields; _id and isDefault are ignored"}"#),
    },
    Tool {
        name: "deleteTheme",
        title: "Delete theme",
        description: "Deletes a theme; the realm's default one is refused. No undo.",
        toolset: Toolset::Themes,
        scopes: &[IDM],
        hints: Hints::REPLACES,
        input: closed!([r#""realm","themeIdentifier""#] realm!(), theme_identifier!()),
    },
    Tool {
        name: "getTheme",
        title: "Get theme",
        description: "All fields of one theme. A name that several themes share is refused: use the _id.",
        toolset: Toolset::Themes,
        scopes: &[IDM],
        hints: Hints::READS,
        input: closed!([r#""realm","themeIdentifier""#] realm!(), theme_identifier!()),
    },
    Tool {
        name: "getThemeSchema",
        title: "Get theme schema",
        description: "Theme fields with type, default and allowed values, for createTheme and updateTheme. About 30 \
            kB, built in.",
        toolset: Toolset::Themes,
        scopes: &[],
        hints: Hints::READS_HERE,
        input: closed!([]),
    },
    Tool {
        name: "getThemes",
        title: "List themes",
        description: "Ids and names of a realm's themes, and which is the default.",
        toolset: Toolset::Themes,
        scopes: &[IDM],
        hints: Hints::READS,
        input: closed!([r#""realm""#] realm!()),
    },
    Tool {
        name: "setDefaultTheme",
        title: "Set default theme",
        description: "Makes a theme the realm's default in place of the present one (getThemes): users see it at \
            once. To go back, set the former one.",
        toolset: Toolset::Themes,
        scopes: &[IDM],
        hints: Hints::SETS,
        input: closed!([r#""realm","themeIdentifier""#] realm!(), theme_identifier!()),
    },
    Tool {
        name: "updateTheme",
        title: "Update theme",
        description: "Sets fields of a theme; others stay. Old values are not kept: read them first (getTheme). \
            Fields cannot be removed; null is stored. A name in use is refused.",
        toolset: Toolset::Themes,
        scopes: &[IDM],
        hints: Hints::OVERWRITES,
        input: closed!([r#""realm","themeIdentifier","themeUpdates""#] realm!(), theme_identifier!(),
            r#""themeUpdates":{"type":"object","not":{"anyOf":[{"required":["_id"]},{"required":["isDefault"]}]},"description":"Fields by getThemeSchema, without _id and isDefault (setDefaultTheme)"}"#),
    },
];
