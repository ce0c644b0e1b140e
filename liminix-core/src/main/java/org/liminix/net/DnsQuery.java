package org.liminix.net;

import java.net.InetSocketAddress;
import java.time.Instant;

/**
 * A question that has reached a {@link DnsServer}.
 *
 * @param at when
 * @param client who asked
 * @param question what
 * @param answer what it was told
 */
public record DnsQuery(
    Instant at, InetSocketAddress client, DnsQuestion question, DnsAnswer answer) {}
