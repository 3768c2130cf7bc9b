---@meta gander.sqlite
-- An SQLite file. Scripts keep documents in `lib.store`; this is for what stands beside it.
-- SPDX-License-Identifier: Apache-2.0

---@class gander.sqlite
local sqlite = {}

---@class gander.sqlite.options
---@field wal? boolean write-ahead log, so that readers and the one writer do not wait for each other (default true)
---@field sync? "full"|"normal" "full" (the default): what was committed survives the loss of power
---@field busy_ms? integer the longest wait for another writer, 0 to 60000 (default 5000); never past the end of the call

---@alias gander.sqlite.value nil|boolean|integer|number|string|gander.Date|lightuserdata

---A file, made with mode 0600 when it is not there; ":memory:" is a database without one.
---@param path string
---@param options? gander.sqlite.options
---@return gander.Db? db
---@return string? message
---@return string? code
function sqlite.open(path, options) end

---One connection, for the VM that opened it.
---@class gander.Db
local Db = {}

---Run one statement. Parameters are `?` with an array, or `:name` with a table by name; nil and null are NULL, true
---is 1, false is 0, a Date is its milliseconds. SQL that SQLite does not understand raises.
---BEGIN, COMMIT, ROLLBACK, SAVEPOINT and ATTACH are denied: use `tx`.
---@param sql string
---@param params? table<integer|string, gander.sqlite.value>
---@return integer? changes rows inserted, updated or deleted
---@return string? message
---@return string? code "conflict" for a value that must be unique, "busy" when another writer did not end
function Db:exec(sql, params) end

---Run one statement and take its rows (24 MiB at most), each a table by column name, in which NULL is absent.
---@param sql string
---@param params? table<integer|string, gander.sqlite.value>
---@return table<string, integer|number|string>[]? rows
---@return string? message
---@return string? code
function Db:query(sql, params) end

---Run `fn` as one transaction that holds the write lock from its start, commit, and return what `fn` returned.
---When `fn` raises, or returns nil with a message, all is rolled back (and the raise goes on).
---@param fn fun(): ...
---@return any ...
---@return string? message
---@return string? code
function Db:tx(fn) end

---Close the file. Again is harmless; other uses of a closed Db raise.
function Db:close() end

return sqlite
