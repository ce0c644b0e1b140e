package org.liminix.net;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.liminix.net.internal.Ipv4Prefix;

/**
 * What a {@link DhcpServer} was told to be.
 *
 * @param own its address, which is its server identifier, and its network
 * @param first of the pool
 * @param last of the pool
 * @param fixed addresses by card
 * @param options for every client, by code
 * @param nextServer {@code siaddr}
 * @param probe how long somebody who has an address already has to say so; zero asks nobody
 */
record DhcpSettings(
    Ipv4Prefix own,
    int first,
    int last,
    Map<MacAddress, Integer> fixed,
    Map<Integer, byte[]> options,
    Duration leaseTime,
    Optional<String> bootFile,
    int nextServer,
    Duration probe,
    boolean authoritative) {}
