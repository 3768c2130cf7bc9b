---@meta gander.log
-- One JSON line on standard error: log("info", "text", {key = value}).

---@class gander.log
---@overload fun(level: "debug"|"info"|"warn"|"error", text: string, fields?: table)
local log = {}

---Replace this value (8 bytes and more) by *** in every later line.
---@param text string
function log.secret(text) end

return log
