/**
 * Encryption of what is stored: AES-256 in Galois/Counter Mode (NIST SP 800-38D), the JDK's.
 *
 * <p>Nouns: a <em>master key</em> has a number and comes from a {@link
 * io.ewok.gds.pagestore.KeySource}; nothing is encrypted with it. A <em>file key</em> is derived
 * from it and a random salt by HKDF (RFC 5869), for one file, or one life of a log or of a page
 * file. A <em>seal</em> is what is written instead of plain bytes: as many bytes, and a tag of 16.
 *
 * <p>Why no nonce is used twice with one key: the nonce is the place of what is sealed, in its file
 * or in the stream of the log. Tables and value files are written once, front to back. A log never
 * writes two records to one position in one life, and each life has a salt of its own. An edit of a
 * manifest has one, too. Salts have 128 random bits, those of a log 64, and the number of the life
 * goes into the key as well. A page of a page file is rewritten in its place, so its nonce is a
 * count of the pages that were sealed since the file was opened, and that life of the file has a
 * key of its own, of a salt of 128 random bits: of the count nothing needs to survive. What that
 * does not cover is a running machine of which a copy is made, with its memory, if both go on.
 *
 * <p>What is promised: who has the files and no key learns their sizes, numbers of records, ids of
 * keys, and lengths of keys and values where these lie by themselves, and nothing else of them. A
 * sealed block that was changed, moved to another place, or brought from another file is refused.
 * Not told: that a whole file was replaced by another one of the same name and number which was
 * written under the same master key, such as an earlier one, the same of an edit of a manifest, or
 * that the log was cut short; nor that an earlier state of a page of a page file was put in its
 * place, which may be zeros, as before it was first written. Of pages, headers are plain: log
 * position, flags, how full they are.
 *
 * <p>A file that is not encrypted is still read, so that encryption can be turned on for a store
 * that exists; and with that whatever somebody without a key has put in the place of one. So who is
 * done with that says it ({@link io.ewok.gds.pagestore.KeySource#readsPlain}). No file can say it
 * instead: who can put a forged table in the place of another can do that with a manifest.
 *
 * <p>Threads: any. The JDK makes garbage for each seal, about 1 KiB. Null is never accepted.
 */
package io.ewok.gds.encryption;
