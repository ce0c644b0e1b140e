package org.liminix.net;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What a {@link DnsServer} was told to be.
 *
 * @param functions asked in turn, before the zone
 */
record DnsSettings(
    int port,
    DnsZone zone,
    List<Function<DnsQuestion, Optional<DnsAnswer>>> functions,
    Duration ttl) {}
