package config

// SettableKeys are the keys that may be set in the admin.
var SettableKeys = settable
