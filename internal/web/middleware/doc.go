// Package middleware holds what all routes share: the client's address behind proxies,
// request numbers, the access log without private tokens, security headers, limits on
// bodies and time, and redirects from former hosts. Wrap puts it before a handler;
// Limiter is a rate limit for handlers that need one.
package middleware
