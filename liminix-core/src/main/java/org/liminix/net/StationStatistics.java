package org.liminix.net;

/**
 * What has passed between a station, machine or group and the switch of a {@link Segment}, from
 * when it was attached. Bytes are those of frames, without preamble and checksum.
 *
 * @param station its name
 * @param framesSent frames that came from it, those among them that a damaged cable lost
 * @param bytesSent the bytes of those
 * @param framesReceived frames that were handed to it
 * @param bytesReceived the bytes of those
 * @param dropped frames that were lost because it did not read them fast enough, or, of a station
 *     in this JVM, because it sent them faster than the segment carries
 */
public record StationStatistics(
    String station,
    long framesSent,
    long bytesSent,
    long framesReceived,
    long bytesReceived,
    long dropped) {}
