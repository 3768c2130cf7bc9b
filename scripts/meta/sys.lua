---@meta gander.sys
-- Clocks, ids, secrets, names, the configuration in force, and the host's script set.

---@class gander.sys
---@field config table what config.lua, the environment and the command line made; read-only
---@field data string the data directory
---@field home string the directory with scripts/ and www/dist
---@field version {version: string, commit: string, generation: integer, started_at: integer}
local sys = {}

---NFKC case folding: equal for names that differ only in case or width.
---@param text string
---@return string? folded
---@return string? message
---@return string? code "invalid": bad UTF-8
function sys.fold(text) end

---HMAC-SHA-256 under a key derived from the host's: tokens that need not be stored.
---@param text string
---@return string hex
function sys.hmac(text) end

---The host's own figures in Prometheus' text format.
---@return string
function sys.metrics() end

---@return integer ms monotonic
function sys.mono() end

---@return integer ms wall clock, since 1970
function sys.now() end

---@param n integer 1 to 4096
---@return string bytes
function sys.random(n) end

---The files of the set that this VM runs.
---@return string[] paths
function sys.script_paths() end

---AES-256-GCM for what rests in the store; at most 256 KiB.
---@param text string
---@return string sealed
function sys.seal(text) end

---@param text string
---@return string hex
function sys.sha256(text) end

---@param sealed string
---@return string? text
---@return string? message
---@return string? code "invalid": changed, or sealed with another key
function sys.unseal(sealed) end

---@return string id version 7: sorts by time
function sys.uuid() end

---@return {total: integer, waiting: integer} calls in progress, and those that only wait
function sys.waiting() end

---@class gander.sys.scripts
sys.scripts = {}

---Would the set do with these texts? json.null removes a file.
---@param edit {files: table<string, string|lightuserdata>}
---@return {ok: boolean, diagnostics: {file: string, line: integer, severity: string, message: string}[]}?
---@return string? message
---@return string? code
function sys.scripts.check(edit) end

---@return {generation: integer, loaded_at: gander.Date, faults: table[], items: {path: string, kind: string, size: integer, etag: string, modified_at: gander.Date}[]}
function sys.scripts.list() end

---A text run as the file of policies/ or cleanup/ at that path, in the pure environment: under a decision's limit, as is
---its `decide`. The set and what `require` gives do not change.
---@param path string
---@param text string
---@return table? module
---@return string? message begins with file:line where that is known
---@return string? code "invalid"
function sys.scripts.load_pure(path, text) end

---Check, write to disk, make live. Not written when the edit brings a fault; written but not live when an older fault remains.
---@param edit {files: table<string, string|lightuserdata>, if_match?: table<string, string>} an etag, or "none": must not exist
---@return {written: boolean, live: boolean, generation: integer, diagnostics: table[]}?
---@return string? message
---@return string? code "conflict": a file is not what if_match says
function sys.scripts.publish(edit) end

---@param path string
---@return string? text as it is on disk
function sys.scripts.text(path) end

return sys
