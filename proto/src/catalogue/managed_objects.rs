//! Declares the tools of the tool set `managedObjects`: objects of IDM and their types.

use super::{Hints, IDM, Tool, Toolset};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "createManagedObject",
        title: "Create managed object",
        description: "Creates an object of a managed type and returns its _id. Call getManagedObjectSchema first: \
            unknown fields, missing required ones and broken policies are refused.",
        toolset: Toolset::ManagedObjects,
        scopes: &[IDM],
        hints: Hints::ADDS,
        input: closed!([r#""objectType","objectData""#] object_type!(),
            object!("objectData", "A relationship is {\\\"_ref\\\":\\\"managed/alpha_role/ID\\\"}")),
    },
    Tool {
        name: "createManagedObjectDefinition",
        title: "Create object type",
        description: "Adds a managed object type; a name in use is refused. Active after some seconds. For one \
            property: patchManagedObjectDefinition.",
        toolset: Toolset::ManagedObjects,
        scopes: &[IDM],
        hints: Hints::ADDS_ONCE,
        input: closed!([r#""objectName","objectDefinition""#] object_name!(),
            object!("objectDefinition", "schema {type, properties, required, order}, iconClass, scripts; a name in it is ignored")),
    },
    Tool {
        name: "deleteManagedObject",
        title: "Delete managed object",
        description: "Deletes one managed object by _id. No undo.",
        toolset: Toolset::ManagedObjects,
        scopes: &[IDM],
        hints: Hints::OVERWRITES,
        input: closed!([r#""objectType","objectId""#] object_type!(), concat!(r#""objectId":{"#, segment!(), "}")),
    },
    Tool {
        name: "deleteManagedObjectDefinition",
        title: "Delete object type",
        description: "Removes a managed object type and returns its definition. No undo: its objects stay stored \
            but out of reach. Refused while another type has a relationship to it.",
        toolset: Toolset::ManagedObjects,
        scopes: &[IDM],
        hints: Hints::OVERWRITES,
        input: closed!([r#""objectName""#] object_name!()),
    },
    Tool {
        name: "getManagedObject",
        title: "Get managed object",
        description: "One managed object by _id, with the _rev for patchManagedObject. Ids: queryManagedObjects.",
        toolset: Toolset::ManagedObjects,
        scopes: &[IDM],
        hints: Hints::READS,
        input: closed!([r#""objectType","objectId""#] object_type!(), concat!(r#""objectId":{"#, segment!(), "}")),
    },
    Tool {
        name: "getManagedObjectSchema",
        title: "Get managed object schema",
        description: "Required fields and properties of a managed type: read it before creating, changing or \
            filtering its objects.",
        toolset: Toolset::ManagedObjects,
        scopes: &[IDM],
        hints: Hints::READS,
        input: closed!([r#""objectType""#] object_type!(),
            r#""includeFullDefinition":{"type":"boolean","description":"Scripts and settings too: long"}"#),
    },
    Tool {
        name: "listManagedObjects",
        title: "List object types",
        description: "Names of all managed object types, e.g. alpha_user: the objectType of other tools. For \
            objects: queryManagedObjects.",
        toolset: Toolset::ManagedObjects,
        scopes: &[IDM],
        hints: Hints::READS,
        input: closed!([]),
    },
    Tool {
        name: "patchManagedObject",
        title: "Patch managed object",
        description: "Changes fields of one managed object and returns its new _rev. Read it first \
            (getManagedObject): with a stale revision the call is refused and nothing changes. Old values are not \
            kept. move and copy cannot name a source here: use add and remove.",
        toolset: Toolset::ManagedObjects,
        scopes: &[IDM],
        hints: Hints::OVERWRITES,
        input: closed!([r#""objectType","objectId","revision","operations""#] object_type!(),
            concat!(r#""objectId":{"#, segment!(), "}"),
            r#""revision":{"type":"string","minLength":1,"pattern":"^[!-~]+$","description":"The _rev just read"}"#,
            operations!(r#""add","remove","replace","move","copy","test""#,
                r#""description":"JSON pointer, e.g. /mail; add to a list: /roles/-""#)),
    },
    Tool {
        name: "patchManagedObjectDefinition",
        title: "Patch object type",
        description: "Changes parts of a managed type's definition; read it first (getManagedObjectSchema, \
            includeFullDefinition). Relationships are refused: patchManagedObjectRelationship. New properties of \
            built-in types must be named custom_... Old parts are not kept. Active after some seconds.",
        toolset: Toolset::ManagedObjects,
        scopes: &[IDM],
        hints: Hints::REPLACES,
        input: closed!([r#""objectName","operations""#] object_name!(),
            operations!(r#""add","remove","replace""#,
                r#""pattern":"^/","description":"JSON pointer in the definition, e.g. /schema/properties/custom_x""#, r#""minItems":1"#)),
    },
    Tool {
        name: "patchManagedObjectRelationship",
        title: "Patch relationship",
        description: "Adds, updates or removes a relationship property of a managed type. add and update alike \
            overwrite. No undo.",
        toolset: Toolset::ManagedObjects,
        scopes: &[IDM],
        hints: Hints::OVERWRITES,
        input: closed!([r#""objectType","propertyName","action""#] object_type!(),
            r#""propertyName":{"type":"string","minLength":1,"pattern":"^custom_[A-Za-z0-9_-]+$"}"#,
            r#""action":{"type":"string","enum":["add","update","remove"]}"#,
            object!("propertyDefinition", "Unless remove: the whole property, type relationship (or array of it), title, resourceCollection [{path: managed/TYPE, query}]");
            r#""if":{"properties":{"action":{"const":"remove"}}},"else":{"required":["propertyDefinition"]}"#),
    },
    Tool {
        name: "queryManagedObjects",
        title: "Query managed objects",
        description: "One page of the objects of a managed type. Name the fields you need: whole objects are long, \
            and relationships come only when named.",
        toolset: Toolset::ManagedObjects,
        scopes: &[IDM],
        hints: Hints::READS,
        input: closed!([r#""objectType""#] object_type!(),
            r#""queryFilter":{"type":"string","maxLength":1000,"description":"Default all. eq co sw gt ge lt le pr, and, or, !( ), e.g. userName sw \"a\" and !(mail pr); no ne, in, null"}"#,
            page!(250, 50),
            r#""sortKeys":{"type":"string","maxLength":500,"description":"e.g. sn,-userName (- is descending)"}"#,
            r#""fields":{"type":"string","maxLength":500,"description":"e.g. userName,mail,roles/*; default all"}"#),
    },
];
