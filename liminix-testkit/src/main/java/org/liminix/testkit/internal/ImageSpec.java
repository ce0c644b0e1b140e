package org.liminix.testkit.internal;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.liminix.testkit.Architecture;

/**
 * Everything that decides what an image is, and how it is to be made.
 *
 * @param architecture what it is made for
 * @param packages the packages asked for, in order
 * @param modules the modules to load at boot, in order
 * @param files the caller's files by their place in the root
 * @param sources a source list instead of the host's
 * @param cache the directory images and packages are kept in
 * @param maxIndexAge the age from which the package index is fetched again
 * @param refresh whether to fetch it in any case
 */
public record ImageSpec(
    Architecture architecture,
    List<String> packages,
    List<String> modules,
    Map<String, GuestFile> files,
    Optional<String> sources,
    Path cache,
    Duration maxIndexAge,
    boolean refresh) {}
