package org.liminix.net;

import java.net.InetAddress;
import java.time.Duration;

/**
 * An answered ping.
 *
 * @param target who answered
 * @param roundTrip from the request that was answered to its reply
 * @param ttl the time to live, with IPv6 the hop limit, the reply had left
 * @param requests how many requests were sent until one was answered
 */
public record Ping(InetAddress target, Duration roundTrip, int ttl, int requests) {}
