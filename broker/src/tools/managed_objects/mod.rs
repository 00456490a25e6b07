//! The tools of the tool set `managedObjects`: records of managed object types, and the definitions of those types.

use super::Tool;

mod definitions;
mod document;
mod guard;
mod records;
mod relationship;

/// The family.
pub(super) const TOOLS: &[Tool] = &[
    Tool { name: "listManagedObjects", run: |api, _| Box::pin(definitions::list(api)) },
    Tool { name: "getManagedObjectSchema", run: |api, arguments| Box::pin(definitions::get_schema(api, arguments)) },
    Tool { name: "createManagedObjectDefinition", run: |api, arguments| Box::pin(definitions::create(api, arguments)) },
    Tool { name: "patchManagedObjectDefinition", run: |api, arguments| Box::pin(definitions::patch(api, arguments)) },
    Tool { name: "deleteManagedObjectDefinition", run: |api, arguments| Box::pin(definitions::delete(api, arguments)) },
    Tool {
        name: "patchManagedObjectRelationship",
        run: |api, arguments| Box::pin(relationship::patch(api, arguments)),
    },
    Tool { name: "queryManagedObjects", run: |api, arguments| Box::pin(records::query(api, arguments)) },
    Tool { name: "getManagedObject", run: |api, arguments| Box::pin(records::get(api, arguments)) },
    Tool { name: "createManagedObject", run: |api, arguments| Box::pin(records::create(api, arguments)) },
    Tool { name: "patchManagedObject", run: |api, arguments| Box::pin(records::patch(api, arguments)) },
    Tool { name: "deleteManagedObject", run: |api, arguments| Box::pin(records::delete(api, arguments)) },
];
