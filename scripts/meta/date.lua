---@meta gander.date
-- A point in time. gander.date(ms), gander.date("2026-11-24T08:15:30Z"). A stored time is always a Date.

---@class gander.Date
---@field ms integer milliseconds since 1970, UTC
---@operator eq: boolean
---@operator lt: boolean

---@class gander.date
---@overload fun(v: integer|string|gander.Date): gander.Date?, string?, string? nil, message, "invalid" for text that is no RFC 3339 date
local date = {}

return date
