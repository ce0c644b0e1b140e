/**
 * Processes that never outlive the JVM, the private directories they run in, the deadlines their
 * callers wait under and the exceptions everything here throws.
 */
package org.liminix.process;
