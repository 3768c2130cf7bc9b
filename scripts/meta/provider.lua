---@meta provider
-- The contract of a provider (scripts/providers/<kind>.lua). Each call is safe to repeat under the same ctx.name; a
-- failure is nil, message, code [, {retry_after_ms}].
-- SPDX-License-Identifier: Apache-2.0

---@class provider
---@field capabilities {sources: table<string, boolean>, snapshot: boolean, extend: boolean, public_endpoint: boolean, egress: table, isolation: fun(): {tier: string, statement: string}}
local provider = {}

--- What a call is about.
---@class provider.Context
---@field name string the sandbox: letters, digits, _ and -; never used for another
---@field project_id string
---@field settings {egress: any, memory_mb?: integer, vcpus?: number}
---@field source {type: string, url?: string, revision?: string, directory?: string, username?: string, password?: string, install?: string[], start?: string[]}
---@field label {installation: string, project?: string, user?: string}
---@field config table the provider's part of config.lua
---@field deadline_ms integer

--- Make the sandbox, or find it. "pending": call again (the source is being fetched, the machine comes up).
---@param ctx provider.Context
---@return {id: string, state: "created"|"pending", limits?: table, isolation?: table, expires_at?: any}?
---@return string? message
---@return string? code
function provider.create(ctx) end

--- Put files below /opt/gander, /workspace or /home/agent.
---@param ctx provider.Context
---@param files {path: string, mode?: integer, text: string}[]
---@return boolean?
---@return string? message
---@return string? code
function provider.put(ctx, files) end

--- Start a step, once for each name: "install", "start", "start-2"… What is not given is what the source asks for.
---@param ctx provider.Context
---@param order {step: string, argv?: string[], env?: table<string, string>, cwd?: string}
---@return {command_id: string}?
---@return string? message
---@return string? code
function provider.start(ctx, order) end

--- Of a step by name, or of the main one.
---@param ctx provider.Context
---@param step? string
---@return {state: "created"|"pending"|"running"|"stopped", phase?: string, exit?: integer, reason?: string, expires_at?: any}?
---@return string? message
---@return string? code "not_found": there is no such sandbox
function provider.status(ctx, step) end

--- Run a command beside the agent's server.
---@param ctx provider.Context
---@param order {argv: string[], env?: table<string, string>, cwd?: string, stdin?: string, timeout_ms?: integer, max?: integer}
---@return {code: integer, out: string, err: string, cut: boolean}?
---@return string? message
---@return string? code
function provider.exec(ctx, order) end

--- The way to a port; the caller closes `netns` when it is there.
---@param ctx provider.Context
---@param port integer
---@return {url: string, netns?: gander.Process, headers?: table<string, string>}?
---@return string? message
---@return string? code
function provider.endpoint(ctx, port) end

--- The logs, as sources of gander.follow. `cursor` maps a key to what is stored already.
---@param ctx provider.Context
---@param cursor? table<string, any>
---@return {key: string, source: string, stream?: string, follow: table, format?: string}[]?
---@return string? message
---@return string? code
function provider.logs(ctx, cursor) end

---@param ctx provider.Context
---@return {cpu_ms: integer, memory_mb_ms: integer, memory_mb?: number, disk_mb?: number, in_bytes: integer, out_bytes: integer, created: integer}?
---@return string? message
---@return string? code
function provider.usage(ctx) end

--- More time. `expires_at` is the new end; none where a sandbox has none.
---@param ctx provider.Context
---@param ms integer
---@return {expires_at?: any}?
---@return string? message
---@return string? code
function provider.extend(ctx, ms) end

--- End what runs: asked first, killed after grace_ms.
---@param ctx provider.Context
---@param options? {grace_ms?: integer}
---@return {snapshot?: table}?
---@return string? message
---@return string? code
function provider.stop(ctx, options) end

--- Remove the sandbox; never the project's files.
---@param ctx provider.Context
---@return boolean?
---@return string? message
---@return string? code
function provider.destroy(ctx) end

--- Remove the project's files.
---@param project {_id: string}
---@return boolean?
---@return string? message
---@return string? code
function provider.remove_workspace(project) end

--- Whose files are kept, a page at a time; a provider that keeps none has no such function.
---@param after? string
---@return {project_id: string, path: string}[]?
---@return string? after the next page, or the message
function provider.workspaces(after) end

--- All sandboxes that carry Gander's label, a page at a time.
---@param label? {installation: string}
---@param after? string
---@return {name: string, id: string, state: string, label: table, project_id: string, created_at: any}[]?
---@return string? after the next page, or the message
---@return string? code
function provider.list(label, after) end

return provider
