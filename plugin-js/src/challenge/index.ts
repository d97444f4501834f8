export { claimsChallenges, claimsChallengesServiceFactory as default, claimsChallengesWith } from './router';
