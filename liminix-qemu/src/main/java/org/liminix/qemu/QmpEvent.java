package org.liminix.qemu;

import com.google.gson.JsonObject;
import java.time.Instant;

/**
 * Something QEMU reported on its own: SHUTDOWN, RESET, STOP, RESUME and the others of its QMP
 * reference.
 *
 * @param name QEMU's name of the event
 * @param data what it carries, empty if nothing
 * @param timestamp when it happened, on the host's clock
 */
public record QmpEvent(String name, JsonObject data, Instant timestamp) {}
