---@meta gander.http
-- One HTTP request, the answer whole.
-- SPDX-License-Identifier: Apache-2.0

---@class gander.http
local http = {}

---@class gander.http.Request
---@field url string http:// or https://
---@field method? string default GET, or POST with a body
---@field headers? table<string, string|string[]>
---@field body? string
---@field body_file? string path of a file to send as the body
---@field timeout_ms? integer for all of it, default 30000; the running call's own limit holds too
---@field connect_ms? integer for the connection, default 5000
---@field max_body? integer bytes of the answer, default 8 MiB (at most 64 MiB); with a sink 1 GiB
---@field redirects? integer how many to follow, default 0
---@field unix? string path of a Unix socket to dial instead of the URL's host
---@field netns? gander.Process dial inside the network of this process
---@field ca? string path of a PEM file of authorities to trust instead of the system's
---@field head_only? boolean a 2xx answer ends with its head and the connection is closed: to start a stream that others read
---@field sink? {file: string} write the body of a 2xx answer there; removed again on failure

---@class gander.http.Response
---@field status integer
---@field headers table<string, string> names in lower case; repeated ones joined by ", " (set-cookie by "\n")
---@field body string "" when it went to the sink
---@field ms integer how long it took

--- Send a request and wait for the whole answer. Every status is an answer; only a request without
--- one fails.
---@param request gander.http.Request
---@return gander.http.Response?
---@return string? message
---@return string? code "unavailable": no connection or it broke; "timeout"; "invalid": URL, header, body too big
function http.request(request) end

return http
