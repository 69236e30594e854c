-- send.lua - wrk sends notifications, each with an Idempotency-Key of its own
--
-- SPDX-License-Identifier: BSD-2-Clause
--
-- From the environment: BENCH_KEY (API key), BENCH_BODY ("@N@" becomes the number of
-- the request), BENCH_PREFIX (what keys begin with) and, for the soak, BENCH_MIX: one
-- request in so many is a fault or a question instead.
local threads = 0
local path = "/api/v1/services/notifications/send"

function setup(thread)
	thread:set("thread_no", threads)
	threads = threads + 1
end

function init(args)
	local body = os.getenv("BENCH_BODY")
	local a, b = body:find("@N@", 1, true)
	head, tail = body:sub(1, a - 1), body:sub(b + 1)
	prefix = os.getenv("BENCH_PREFIX") .. "-" .. thread_no .. "-"
	key = "Bearer " .. os.getenv("BENCH_KEY")
	mix = tonumber(os.getenv("BENCH_MIX") or "0")
	n = 0
	headers = { ["Content-Type"] = "application/json", ["Authorization"] = key }
end

local function send(number)
	headers["Idempotency-Key"] = prefix .. number
	return wrk.format("POST", path, headers,
	    head .. thread_no .. "x" .. number .. tail)
end

-- What else a worker is asked, one after the other.
local others = {
	function() return send(math.max(1, n - 1001)) end, -- a repeated key
	function() return wrk.format("POST", path, headers, "{\"to\": [") end,
	function() return wrk.format("POST", path, headers,
	    "{\"template\":\"no-such\",\"to\":{},\"unknown\":1}") end,
	function() return wrk.format("POST", path,
	    { ["Authorization"] = "Bearer blf_none_none" }, "{}") end,
	function() return wrk.format("GET",
	    "/api/v1/services/notifications/0190a0a0-0000-7000-8000-000000000000",
	    { ["Authorization"] = key }) end,
	function() return wrk.format("GET", "/no/such/path", {}) end,
	function() return wrk.format("GET", "/health/live", {}) end,
	function() return wrk.format("GET", "/metrics", {}) end,
}

function request()
	n = n + 1
	if mix > 0 and n % mix == 0 then
		return others[(n / mix) % #others + 1]()
	end
	return send(n)
end
