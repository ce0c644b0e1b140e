package org.liminix.net;

import java.net.InetAddress;

/**
 * An echo request that reached a host, which answered it.
 *
 * @param source the address it came from: behind a masquerading router, the router's
 * @param sourceMac the card that put it on the segment
 * @param ttl the time to live, with IPv6 the hop limit, it had left
 * @param identifier tells the pings of one sender apart
 * @param sequence counts the requests of one ping
 */
public record ReceivedPing(
    InetAddress source, MacAddress sourceMac, int ttl, int identifier, int sequence) {}
