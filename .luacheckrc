-- The linter of Lua: `make check` runs it over scripts/ and tests/.
std = "lua54"
max_line_length = 160
self = false
exclude_files = { "scripts/meta", "vendor", "www", "build" }

-- Policies and cleanup rules are given the verdict constructors and nothing of the host.
local verdicts = {
  "allow", "deny", "queue", "retry", "give_up", "keep", "stop", "warn", "restart", "replace", "extend", "remove",
}
files["scripts/policies"] = { read_globals = verdicts }
files["scripts/cleanup"] = { read_globals = verdicts }
