//! Software-held key material: generate, import, validate and export, and the versioned key table.
