export { canonicalEvidence, type CanonicalEvidence, type EvidenceContent, type EvidencePerson, type EvidenceProof } from './evidence.ts';
export { verifyEvidence, type EvidenceVerdict } from './verify-evidence.ts';
